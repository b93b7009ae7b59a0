/** What a page of 4096 bytes holds of a row that spills over (SQLite file format, §1.6). */
const OVERFLOW_SIZE = 4092;
/** The least that stays in the row's leaf then, and room for the row's header. */
const LOCAL_SIZE = 489 + 16;

/**
 * How long the padding before the secret, the last column of a row, must be for the secret to lie in
 * overflow pages only. `secure_delete` overwrites those when they are freed, and they are never
 * copied; of the rest of a row, SQLite leaves copies behind when it moves rows between leaves.
 * @param openLength bytes of the other columns, and of what is public at the secret's beginning
 * @param secretLength bytes from there to the end
 */
export function paddingLength(openLength: number, secretLength: number): number {
  const overflow = OVERFLOW_SIZE * Math.ceil(secretLength / OVERFLOW_SIZE);
  return Math.max(0, overflow + LOCAL_SIZE - openLength - secretLength);
}
