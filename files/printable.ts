/**
 * Text of a file for an error message: one short line of printable ASCII. The content of a file is not trusted.
 *
 * @param text Any text.
 * @returns At most 160 characters.
 */
export function printable(text: string): string {
  return shorten(text.replace(/[^\x20-\x7e]+/g, " "), 160);
}

/**
 * Name or path of a file for an error message: one short line. Letters of all scripts are kept; control characters, line
 * breaks and characters that change the direction of text are not.
 *
 * @param name Any text.
 * @returns At most 200 characters.
 */
export function printableName(name: string): string {
  return shorten(name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " "), 200);
}

function shorten(line: string, length: number): string {
  return line.length > length ? `${line.slice(0, length - 3)}...` : line;
}
