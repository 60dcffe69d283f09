// Log lines and notes on standard error. Errors are printed with printError and are not affected by --quiet.
import { printError } from "./print.ts";

let quiet = false;

/** Turns log lines, notes and progress off, or on again. */
export function setQuiet(value: boolean): void {
  quiet = value;
}

/** Whether `--quiet` was given. */
export function isQuiet(): boolean {
  return quiet;
}

/** Prints a line on standard error, unless `--quiet` was given. */
export function log(line: string): void {
  if (!quiet) printError(line);
}

/** Prints a note on standard error, unless `--quiet` was given. */
export function note(text: string): void {
  log(`note: ${text}`);
}

/** Prints a note when a process that holds a lock is waited for. @param does What that process does. */
export function waitFor(does: string): (holder: string) => void {
  return (holder) => note(`waiting for ${holder}, which ${does}`);
}
