/**
 * Runs a command of the benchmark.
 *
 * @module
 */

import { type Command, parse } from "../cli/command.ts";
import { commandHelp } from "../cli/help.ts";
import { UserError } from "../cli/user_error.ts";

/** Runs the command with the given arguments and returns the exit status. */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  try {
    const request = parse(command, args, Deno.cwd());
    if (request.help) console.log(commandHelp(command));
    return request.help ? 0 : await command.run(request.values, request.operands, request.given);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    return 2;
  }
}
