import { type Command, commonOptions } from "./command.ts";
import { choicesOf, programOptions } from "./help.ts";
import type { Option, Options } from "./options.ts";

/** What the completions of every shell are made from. */
export interface Completable {
  readonly commands: readonly CompletableCommand[];
  /** Options in the place of a command. */
  readonly options: readonly CompletableOption[];
}

/** A command with its options. */
export interface CompletableCommand {
  readonly name: string;
  readonly summary: string;
  /** Words that an argument can be; files where there are none. */
  readonly words: readonly string[];
  readonly files: boolean;
  readonly options: readonly CompletableOption[];
}

/** An option as a shell completes it. */
export interface CompletableOption {
  /** Name without dashes. */
  readonly name: string;
  readonly short: string | null;
  /** The first clause of its description. */
  readonly description: string;
  /** What follows: nothing, one of some words, a file or folder, or anything. */
  readonly value: "none" | "words" | "files" | "any";
  readonly words: readonly string[];
}

/** Commands and options as shells complete them. */
export function completable(commands: readonly Command[]): Completable {
  const names = commands.map(({ name }) => name);
  return {
    commands: commands.map(({ name, summary, operands, choices, options }) => ({
      name,
      summary,
      words: name === "help" ? names : choices ?? [],
      files: operands !== undefined && /FILES|DIR|MODEL/.test(operands),
      options: optionsOf({ ...options, ...commonOptions }),
    })),
    options: optionsOf(programOptions),
  };
}

function optionsOf(options: Options): CompletableOption[] {
  return Object.entries(options).map(([name, option]) => ({
    name: option.type === "flag" && option.default ? `no-${name}` : name,
    short: option.short ?? null,
    description: option.description.replace(/[:;(].*/s, "").trimEnd(),
    value: valueOf(option),
    words: choicesOf(option) ?? [],
  }));
}

function valueOf(option: Option): CompletableOption["value"] {
  if (option.type === "flag") return "none";
  if (choicesOf(option)) return "words";
  return option.type === "path" || option.type === "string" && option.value === "MODEL" ? "files" : "any";
}
