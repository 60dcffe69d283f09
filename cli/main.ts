/**
 * The command line as a function, so that tests can call it.
 *
 * @module
 */
import { classifyCommand } from "./classify.ts";
import { type Command, parse } from "./command.ts";
import { dataCommand } from "./data.ts";
import { evalCommand } from "./eval.ts";
import { extractCommand } from "./extract.ts";
import { gpuCommand } from "./gpu.ts";
import { commandHelp, programHelp } from "./help.ts";
import { inspectCommand } from "./inspect.ts";
import { pruneCommand } from "./prune.ts";
import { suggest } from "./suggest.ts";
import { trainCommand } from "./train.ts";
import { transcribeCommand } from "./transcribe.ts";
import { UserError } from "./user_error.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  pruneCommand,
  trainCommand,
  transcribeCommand,
  classifyCommand,
  extractCommand,
  evalCommand,
  inspectCommand,
  dataCommand,
  gpuCommand,
];

/**
 * Runs the command that the words name.
 *
 * @param args the words of the command line
 * @param cwd the folder that paths among them are taken from
 * @returns the exit status: 2 after a user's mistake, which has been told in one line on standard error
 */
export async function main(args: readonly string[], cwd: string): Promise<number> {
  try {
    return await dispatch(args, cwd);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message.replace(/\s*\n\s*/g, " "));
    return 2;
  }
}

async function dispatch([name, ...words]: readonly string[], cwd: string): Promise<number> {
  if (name === undefined) throw new UserError("Cannot run as a command is needed: see espalier --help");
  if (name === "--help" || name === "-h" || name === "help") {
    console.log(programHelp(commands));
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (!command) throw unknownCommand(name);

  const request = parse(command, words, cwd);
  if (!request.help) return await command.run(request.values, request.operands);
  console.log(commandHelp(command));
  return 0;
}

function unknownCommand(name: string): UserError {
  const meant = suggest(name, commands.map((command) => command.name));
  const advice = meant ? `did you mean ${meant}?` : "see espalier --help";
  return new UserError(`Cannot run ${name} as there is no such command: ${advice}`);
}
