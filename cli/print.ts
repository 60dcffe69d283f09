// What commands print. Names, ids and texts in it come from files and servers: control characters are escaped.
import { escapeControls } from "../files/printable.ts";

/** Prints a result on standard output. */
export function print(text: string): void {
  console.log(escapeControls(text));
}

/** Prints an error, or details, on standard error; not affected by `--quiet`. */
export function printError(text: string): void {
  console.error(escapeControls(text));
}
