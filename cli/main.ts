/**
 * The command line as a function, so that tests can call it.
 *
 * @module
 */
import { programName, seeHelp } from "./program_name.ts";
import program from "../deno.json" with { type: "json" };
import { DeviceError } from "../tensor/device_errors.ts";
import { cacheCommand } from "./cache.ts";
import { classifyCommand } from "./classify.ts";
import { type Command, parse } from "./command.ts";
import { completionsCommand } from "./completions.ts";
import { dataCommand } from "./data.ts";
import { evalCommand } from "./eval.ts";
import { exportCommand } from "./export.ts";
import { extractCommand } from "./extract.ts";
import { gpuCommand } from "./gpu.ts";
import { commandHelp, programHelp, programOptions } from "./help.ts";
import { inspectCommand } from "./inspect.ts";
import { abortJob } from "./job.ts";
import { Interrupted } from "./long_run.ts";
import { print, printError } from "./print.ts";
import { pruneCommand } from "./prune.ts";
import { log, note, setQuiet } from "./stderr.ts";
import { suggest } from "./suggest.ts";
import { sweepCommand } from "./sweep.ts";
import { trainCommand } from "./train.ts";
import { transcribeCommand } from "./transcribe.ts";
import { UserError } from "./user_error.ts";
import { webCommand } from "./web.ts";

/** `help`: the help of the program or of a command. */
const helpCommand: Command = {
  name: "help",
  summary: "Print the commands, or the options of one",
  access: [],
  operands: "[COMMAND]",
  options: {},
  run: (_, [name, more]) => {
    if (more !== undefined) throw new UserError(`help takes at most one COMMAND: got ${name} ${more}`);
    print(
      name === undefined ? programHelp(commands, developmentTasks()) : commandHelp(commandOf(name)),
    );
    return Promise.resolve(0);
  },
};

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  pruneCommand,
  sweepCommand,
  trainCommand,
  transcribeCommand,
  classifyCommand,
  extractCommand,
  evalCommand,
  inspectCommand,
  exportCommand,
  webCommand,
  dataCommand,
  gpuCommand,
  cacheCommand,
  completionsCommand(() => commands),
  helpCommand,
];

/**
 * Runs the command that the words name.
 *
 * @param args the words of the command line
 * @param cwd the folder that paths among them are relative to
 * @returns the exit status: 2 after a user's mistake or where the machine fails, with one line on standard error; 1 after a
 * defect of the program, with its stack trace
 */
export async function main(args: readonly string[], cwd: string): Promise<number> {
  try {
    return await dispatch(args, cwd);
  } catch (error) {
    if (error instanceof Interrupted) {
      await abortJob(() => log(error.message), error.status);
      return error.status;
    }
    const message = lineOf(error);
    if (message === null) {
      await abortJob(() => printError(Deno.inspect(error)), 1); // ends this process, too, if it is part of a job
      return 1;
    }
    await abortJob(() => printError(message.replace(/\s*\n\s*/g, " ")), 2);
    return 2;
  } finally {
    setQuiet(false);
  }
}

/** What to print of an error that is not the program's own; null for one that is. */
function lineOf(error: unknown): string | null {
  if (error instanceof UserError || error instanceof DeviceError) return error.message;
  if (error instanceof Deno.errors.NotCapable) {
    return `Cannot continue as this process is not permitted to: ${error.message}`;
  }
  // V8's message where an array cannot be allocated.
  if (!(error instanceof RangeError && error.message.includes("buffer allocation failed"))) return null;
  return `Cannot continue as the memory of this machine ran out: ${error.message}`;
}

async function dispatch([name, ...words]: readonly string[], cwd: string): Promise<number> {
  if (name === undefined) throw new UserError(`No command given: ${seeHelp()}`);
  if (name.startsWith("-")) return await runProgramOption(name, words, cwd);
  const command = commandOf(name);
  const request = parse(command, words, cwd);
  if (request.help) {
    print(commandHelp(command));
    return 0;
  }
  if (request.quiet) setQuiet(true);
  for (const text of request.notes) note(text);
  return await command.run(request.values, request.operands, request.given);
}

/** An option in the place of a command, or before one. */
async function runProgramOption(word: string, rest: readonly string[], cwd: string): Promise<number> {
  const [option] =
    Object.entries(programOptions).find(([name, { short }]) =>
      word === `--${name}` || word === `-${short}`
    ) ?? [];
  switch (option) {
    case "help":
      return await dispatch(["help", ...rest], cwd);
    case "version":
      print(`espalier ${program.version}`);
      return 0;
    case "quiet":
      setQuiet(true);
      return await dispatch(rest, cwd);
  }
  const meant = suggest(word, Object.keys(programOptions).map((name) => `--${name}`));
  throw new UserError(`Unknown option ${word}: ${meant ? `did you mean ${meant}?` : seeHelp()}`);
}

function commandOf(name: string): Command {
  const command = commands.find((one) => one.name === name);
  if (command) return command;
  const tasks = developmentTasks().map(([task]) => task);
  if (tasks.includes(name)) {
    throw new UserError(`${name} is a development task: run ${programName()} ${name}`);
  }
  const meant = suggest(name, [...commands.map((one) => one.name), ...tasks]);
  throw new UserError(`Unknown command ${name}: ${meant ? `did you mean ${meant}?` : seeHelp()}`);
}

/** Tasks of deno.json that are not commands of the program; the set-up script runs them, too. */
function developmentTasks(): [name: string, summary: string][] {
  const names = commands.map(({ name }) => name);
  return Object.entries(program.tasks)
    .filter(([name]) => !names.includes(name))
    .map(([name, { description }]) => [name, description]);
}
