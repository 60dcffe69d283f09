// What commands print. Names, ids and texts in it come from files and servers: control characters are escaped.
import { escapeControls } from "../files/printable.ts";
import { UserError } from "./user_error.ts";

/**
 * Prints a result on standard output. That its terminal or pipe was closed is no error: a run that outlives it is complete.
 *
 * @throws {UserError} the system refuses, such as on a full disk
 */
export function print(text: string): void {
  try {
    console.log(escapeControls(text));
  } catch (error) {
    if (isClosed(error)) return;
    const why = (error as Error).message;
    throw new UserError(`Cannot write to standard output as the system refuses: ${why}`, { cause: error });
  }
}

/** Prints an error, or details, on standard error, unless nobody can read it; not affected by `--quiet`. */
export function printError(text: string): void {
  unlessClosed(() => console.error(escapeControls(text)));
}

/** Writes to the terminal, unless it was closed: a run that outlives it still saves its state. */
export function unlessClosed(write: () => void): void {
  try {
    write();
  } catch {
    // Nobody can read the line.
  }
}

/** Whether a write failed since nobody reads: EIO of a closed terminal, EPIPE of a closed pipe. */
function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || /\(os error (5|32)\)/.test((error as Error).message);
}
