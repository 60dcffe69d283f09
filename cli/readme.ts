/**
 * Writes the commands' sections of the README from their declarations: `deno run -RW cli/readme.ts`.
 *
 * @module
 */
import type { Command } from "./command.ts";
import { commandSection } from "./help.ts";
import { commands } from "./main.ts";

const start = "<!-- commands: made by cli/readme.ts -->";
const end = "<!-- end of commands -->";

/**
 * The README with the commands' sections of today.
 *
 * @param text the README
 * @param of the commands to describe
 * @returns the text with what stands between the two marks replaced
 * @throws {SyntaxError} a mark is missing
 */
export function withCommands(text: string, of: readonly Command[]): string {
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) {
    throw new SyntaxError(
      `Cannot write the commands as they go between two marks: ${start} or ${end} is missing`,
    );
  }
  const sections = of.map(commandSection).join("\n\n");
  return `${text.slice(0, from)}${start}\n\n${sections}\n\n${text.slice(to)}`;
}

if (import.meta.main) {
  const readme = new URL("../README.md", import.meta.url);
  await Deno.writeTextFile(readme, withCommands(await Deno.readTextFile(readme), commands));
}
