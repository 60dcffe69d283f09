/**
 * Replaces the text between two lines of a document.
 *
 * @param text the document
 * @param mark name of the lines: `<!-- NAME -->` and `<!-- end of NAME -->`
 * @param content what is to stand between them
 * @throws {SyntaxError} If they are missing.
 */
export function replaceBetween(text: string, mark: string, content: string): string {
  const [begin, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) {
    throw new SyntaxError(`Cannot update as there must be ${begin} and ${end}: not found`);
  }
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
