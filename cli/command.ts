/**
 * A command and its options, declared once: the parser, `--help`, the shell completions and docs/cli.md are made from
 * the declaration.
 *
 * @module
 */
import { seeHelp } from "./program_name.ts";
import { absolutePath } from "./files.ts";
import {
  type Given,
  group,
  type NumberOption,
  type Option,
  type Options,
  type Values,
  withDefaults,
} from "./options.ts";
import type { Access } from "./permissions.ts";
import { readWords } from "./read_words.ts";
import { wordsWithCurrentNames } from "./renamed_options.ts";
import { suggest } from "./suggest.ts";
import { UserError } from "./user_error.ts";

/** What an example of the help does, and its command line without the program's name. */
export type Example = readonly [does: string, words: string];

/** A command of the program. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One sentence without a full stop, for the list of commands. */
  readonly summary: string;
  /** Placeholder of the positional arguments in the help: `FILES…`; without it none are taken. */
  readonly operands?: string;
  /** Words that the first positional argument is one of. */
  readonly choices?: readonly string[];
  readonly options: O;
  readonly examples?: readonly Example[];
  /** What its process is permitted; by default to use files, the device and the hub. */
  readonly access?: readonly Access[];
  /**
   * Does the work and returns the exit status.
   *
   * @param values the values of all options, defaults included
   * @param operands positional arguments
   * @param given the options on the command line, for commands that merge them with a recipe or a saved run
   */
  run(values: Values<O>, operands: readonly string[], given: Given<O>): Promise<number>;
}

/** Declares a command, with the types of its values taken from its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

/** Options of every command. */
export const commonOptions = group("General", {
  quiet: { type: "flag", short: "q", description: "print no progress, notes or log lines" },
  help: { type: "flag", short: "h", description: "print this help" },
});

/** What a command line asks of a command. */
export type Request =
  | { readonly help: true }
  | {
    readonly help: false;
    readonly quiet: boolean;
    readonly values: Values<Options>;
    readonly given: Given<Options>;
    readonly operands: readonly string[];
    /** Notes for the user, such as an option that has a new name. */
    readonly notes: readonly string[];
  };

/**
 * Reads the words after the command's name.
 *
 * @param command the command, with its options
 * @param args the words
 * @param cwd the folder that paths are relative to
 * @returns the values of all options, or that the help is asked for
 * @throws {UserError} an option is unknown or missing, or its value breaks a rule
 */
export function parse(command: Command, args: readonly string[], cwd: string): Request {
  const { options } = command;
  const { words, notes } = wordsWithCurrentNames(args, options);
  const { options: read, operands } = readWords(
    words,
    { ...options, ...commonOptions },
    (word) => unknownOption(command, word),
  );
  if (read.get("help") === true) return { help: true };

  if (operands.length > 0 && command.operands === undefined) {
    throw new UserError(`${command.name} takes no arguments besides options: got ${operands[0]}`);
  }
  const given: Record<string, string | number | boolean> = {};
  for (const [name, option] of Object.entries(options)) {
    const value = read.get(name);
    if (value !== undefined) given[name] = valueOf(command, name, option, value, cwd);
    else if (option.type !== "flag" && option.required) {
      throw new UserError(`${command.name} requires --${name}: ${seeHelp(command.name)}`);
    }
  }
  const values = withDefaults(options, given);
  return { help: false, quiet: read.get("quiet") === true, values, given, operands, notes };
}

function unknownOption(command: Command, name: string): UserError {
  const known = Object.keys({ ...command.options, ...commonOptions }).map((option) => `--${option}`);
  const meant = suggest(name, known);
  const advice = meant ? `did you mean ${meant}?` : seeHelp(command.name);
  return new UserError(`${command.name} has no option ${name}: ${advice}`);
}

/** The value of an option that was given, checked. */
function valueOf(
  command: Command,
  name: string,
  option: Option,
  given: string | boolean,
  cwd: string,
): string | number | boolean {
  if (option.type === "flag") return given === true;
  const text = String(given);
  if (text === "") throw new UserError(`--${name} needs a value: ${seeHelp(command.name)}`);
  const fail = (rule: string) =>
    new UserError(`Cannot run ${command.name} as --${name} ${rule}: got ${text}`);

  if (option.type === "number" || option.type === "integer") return readNumber(option, text, fail);
  if (option.type === "path") return absolutePath(text, cwd);
  const { choices } = option as { choices?: readonly string[] };
  if (choices && !choices.includes(text)) throw fail(`must be one of ${choices.join(", ")}`);
  return text;
}

function readNumber(
  { type, min = -Infinity, max = Infinity }: NumberOption,
  text: string,
  fail: (rule: string) => UserError,
): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw fail("must be a number");
  if (type === "integer" && !Number.isInteger(value)) throw fail("must be a whole number");
  if (value < min) throw fail(`must be at least ${min}`);
  if (value > max) throw fail(`must be at most ${max}`);
  return value;
}
