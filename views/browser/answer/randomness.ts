/** The most that a browser gives at once. */
const AT_ONCE = 65_536;

/** Fresh uniform bytes from the browser. */
export function browserRandomness(length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let at = 0; at < length; at += AT_ONCE)
    crypto.getRandomValues(out.subarray(at, at + AT_ONCE));
  return out;
}
