import { parseArgs } from "node:util";
import type { Options } from "./options.ts";

/** What a command line gives. */
export interface ReadWords {
  /** The options that were given, flags as booleans and others as text; the last one of a repeated option. */
  readonly options: ReadonlyMap<string, string | boolean>;
  readonly operands: readonly string[];
}

/**
 * Splits the words after a command's name into options and operands: `--name value`, `--name=value`, `--flag`, `--no-flag`, `-n
 * value`, `-nvalue`, several flags as `-ab`, and operands only after `--`. The value of an option may be a negative number.
 *
 * @param words the words
 * @param options declarations of the options
 * @param unknown the error about an option that is not declared
 */
export function readWords(
  words: readonly string[],
  options: Options,
  unknown: (word: string) => Error,
): ReadWords {
  const isFlag = (name: string) => Object.hasOwn(options, name) && options[name]!.type === "flag";
  const declared = Object.entries(options).map(([name, { short }]) =>
    [name, { type: isFlag(name) ? "boolean" as const : "string" as const, ...short && { short } }] as const
  );
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(declared),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const read = new Map<string, string | boolean>();
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const positive = name.replace(/^no-/, "");
    if (isFlag(name)) read.set(name, value !== "false");
    else if (Object.hasOwn(options, name)) read.set(name, textOf(value, inlineValue, rawName));
    else if (isFlag(positive) && value === undefined) read.set(positive, false);
    else throw unknown(rawName);
  }
  return { options: read, operands };
}

/** The text of an option's value; empty where the next word is another option instead. */
function textOf(value = "", inline: boolean | undefined, rawName: string): string {
  if (inline) return rawName.startsWith("--") ? value : value.replace(/^=/, "");
  return /^-[^\d.]/.test(value) ? "" : value;
}
