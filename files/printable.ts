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

/**
 * Text for a terminal, with its control characters escaped as in JSON (`\u001b`), but for tabs and line breaks. So are
 * characters that change the direction of text. JSON stays JSON with the same meaning.
 *
 * @param text Any text, also of several lines.
 */
export function escapeControls(text: string): string {
  return text.replace(/(?![\t\n])\p{Cc}|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, escaped);
}

/**
 * As {@linkcode escapeControls}, with tabs and line breaks escaped as well: a field of a line or table.
 *
 * @param text Any text.
 */
export function escapeField(text: string): string {
  return escapeControls(text.replace(/[\t\n]/g, escaped));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
