/** Text between or inside tags. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}

/** Coordinates to a tenth of a pixel: enough for the eye, half the bytes. */
export function px(x: number): string {
  return String(Math.round(x * 10) / 10);
}
