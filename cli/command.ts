/**
 * A command and its options, declared once: from the declaration come the parser, `--help` and the
 * command's section of the README.
 *
 * @module
 */
import { parseArgs } from "@std/cli";
import { suggest } from "./suggest.ts";
import { UserError } from "./user_error.ts";

/** One option of a command. */
export type Option = FlagOption | TextOption | NumberOption;

interface Described {
  /** What it does, as half a sentence: `print JSON`. */
  readonly description: string;
  /** One letter that stands for the option. */
  readonly short?: string;
}

/** On or off; `--no-NAME` turns off one that is on by default. */
export interface FlagOption extends Described {
  readonly type: "flag";
  readonly default?: boolean;
}

interface Valued<T> extends Described {
  /** The value where none is given. */
  readonly default?: T;
  /** Whether the command refuses to run without it. */
  readonly required?: boolean;
}

/** A word, one of `choices` where given; a `path` is taken from where the user stands. */
export interface TextOption extends Valued<string> {
  readonly type: "string" | "path";
  readonly choices?: readonly string[];
}

/** A finite number within the bounds, whole where the type says so. */
export interface NumberOption extends Valued<number> {
  readonly type: "number" | "integer";
  readonly min?: number;
  readonly max?: number;
}

/** The options of a command by name. */
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends FlagOption ? boolean
  :
    | (O extends NumberOption ? number
      : O extends { choices: readonly (infer C)[] } ? C
      : string)
    | (O extends { default: unknown } | { required: true } ? never : undefined);

/** The values a command is run with. */
export type Values<O extends Options> = { readonly [K in keyof O]: ValueOf<O[K]> };

/** A command of the program. */
export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One sentence without a full stop, for the list of commands. */
  readonly summary: string;
  /** How positional arguments are called in the help: `FILES…`; without it none are taken. */
  readonly operands?: string;
  readonly options: O;
  /** Does the work and returns the exit status. */
  run(values: Values<O>, operands: readonly string[]): Promise<number>;
}

/** Declares a command, with the types of its values taken from its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

/** What a command line asks of a command. */
export type Request =
  | { readonly help: true }
  | {
    readonly help: false;
    readonly values: Values<Options>;
    readonly operands: readonly string[];
  };

/**
 * Reads the words after the command's name.
 *
 * @param command the command, with its options
 * @param args the words
 * @param cwd the folder paths are taken from
 * @returns the values of all options, defaults included, or the wish to see the help
 * @throws {UserError} an option is unknown, missing, or its value is not what it must be
 */
export function parse(command: Command, args: readonly string[], cwd: string): Request {
  const entries = Object.entries(command.options);
  const flags = entries.filter(([, option]) => option.type === "flag").map(([name]) => name);
  const given: Record<string, unknown> = parseArgs([...args], {
    boolean: [...flags, "help"],
    string: [...entries.map(([name]) => name).filter((name) => !flags.includes(name)), "_"],
    negatable: flags.filter((name) => command.options[name]?.default === true),
    default: Object.fromEntries(flags.map((name) => [name, command.options[name]?.default])),
    alias: aliases(command.options),
    unknown: (word, key) => {
      if (key !== undefined) throw unknownOption(command, word);
    },
  });
  if (given["help"] === true) return { help: true };

  const operands = (given["_"] as unknown[]).map(String);
  if (operands.length > 0 && command.operands === undefined) {
    throw new UserError(`Cannot run ${command.name} as it takes no operands: got ${operands[0]}`);
  }
  const values = Object.fromEntries(
    entries.map(([name, option]) => [name, read(command, name, option, given[name], cwd)]),
  );
  return { help: false, values: values as Values<Options>, operands };
}

function aliases(options: Options): Record<string, string> {
  const short = Object.entries(options).flatMap(([name, { short }]) =>
    short === undefined ? [] : [[name, short]]
  );
  return { ...Object.fromEntries(short), help: "h" };
}

function unknownOption(command: Command, word: string): UserError {
  const name = word.replace(/=.*/s, "");
  const known = [...Object.keys(command.options), "help"].map((option) => `--${option}`);
  const meant = suggest(name, known);
  const advice = meant ? `did you mean ${meant}?` : `see ${command.name} --help`;
  return new UserError(`Cannot run ${command.name} as it has no option ${name}: ${advice}`);
}

/** The value of one option, checked. */
function read(
  command: Command,
  name: string,
  option: Option,
  given: unknown,
  cwd: string,
): string | number | boolean | undefined {
  if (option.type === "flag") return given === true;
  const fail = (rule: string, found: string) =>
    new UserError(`Cannot run ${command.name} as --${name} ${rule}: ${found}`);

  if (given === undefined) {
    if (option.required) throw fail("is required", `see ${command.name} --help`);
    return option.default;
  }
  const text = String(given);
  if (text === "") throw fail("needs a value", "none was given");

  if (isNumeric(option)) return readNumber(option, text, fail);
  if (option.type === "path") return isAbsolute(text) ? text : `${cwd}/${text}`;
  const { choices } = option;
  if (choices && !choices.includes(text)) throw fail(`must be one of ${choices.join(", ")}`, `got ${text}`);
  return text;
}

function isNumeric(option: Option): option is NumberOption {
  return option.type === "number" || option.type === "integer";
}

function readNumber(
  { type, min = -Infinity, max = Infinity }: NumberOption,
  text: string,
  fail: (rule: string, found: string) => UserError,
): number {
  const value = Number(text);
  const found = `got ${text}`;
  if (text.trim() === "" || !Number.isFinite(value)) throw fail("must be a number", found);
  if (type === "integer" && !Number.isInteger(value)) throw fail("must be a whole number", found);
  if (value < min) throw fail(`must be at least ${min}`, found);
  if (value > max) throw fail(`must be at most ${max}`, found);
  return value;
}

function isAbsolute(path: string): boolean {
  return /^([/\\]|[A-Za-z]:[/\\])/.test(path);
}
