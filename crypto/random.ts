/**
 * A source of cryptographic randomness: `length` fresh uniform bytes (length ≥ 0, an integer).
 * `crypto/` never draws by itself; the composition root passes one in.
 */
export type Randomness = (length: number) => Uint8Array;
