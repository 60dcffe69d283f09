/**
 * How the user started the program, for hints that can be copied.
 *
 * @module
 */
import { shellWord } from "./shell_word.ts";

let name = "./espalier";

/** The words that start the program, such as `./espalier` or `deno task`. */
export function programName(): string {
  return name;
}

/** Where help on a command, or on the program, is found: `see ./espalier train --help`. */
export function seeHelp(command?: string): string {
  return `see ${name} ${command === undefined ? "help" : `${command} --help`}`;
}

/** What the process was started with. */
export interface Started {
  /** How the set-up script was called. */
  readonly script: string | undefined;
  /** Whether by a task of Deno. */
  readonly isTask: boolean;
  /** The main module, as Deno was given it; undefined where it is of no use to the user. */
  readonly url: string | undefined;
  /** Whether the program is compiled to one file. */
  readonly isCompiled: boolean;
}

/** Sets the words for the rest of the process. */
export function setProgramName({ script, isTask, url, isCompiled }: Started): void {
  if (url) name = `deno run -A ${shellWord(url)}`; // also below a task of another project
  else if (script) name = shellWord(script);
  else if (isTask) name = "deno task";
  else if (isCompiled) name = "espalier";
}
