import { printable, printableName } from "../files/printable.ts";

/**
 * Checks the version of a file that a run resumes from.
 *
 * @param file Path of the file.
 * @param found Version in the file; a file of version 1 may lack it.
 * @param expected Version that this program reads and writes.
 * @throws {SyntaxError} If they differ; one line that names the file and both versions.
 *
 * @example
 * ```ts
 * import { checkFormatVersion } from "./format_version.ts";
 *
 * checkFormatVersion("out/run/journal.json", 2, 2); // version 1 would be refused
 * ```
 */
export function checkFormatVersion(file: string, found: unknown = 1, expected: number): void {
  if (found === expected) return;
  const other = typeof found === "number" && found < expected ? "an older" : "another";
  throw new SyntaxError(
    `Cannot resume from ${printableName(file)} as its format must have version ${expected}: it has version ` +
      `${printable(String(found))}, written by ${other} version of espalier`,
  );
}
