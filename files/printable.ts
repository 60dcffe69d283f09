/**
 * A path or a text of a file for an error message: one short line of printable characters.
 *
 * @param text Anything: what a file holds or is called is not trusted.
 * @returns At most 200 characters, without control characters and line breaks.
 */
export function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  return line.length > 200 ? line.slice(0, 197) + "..." : line;
}
