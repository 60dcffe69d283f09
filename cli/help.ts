import { programName } from "./program_name.ts";
import type { Command } from "./command.ts";
import { commonOptions } from "./command.ts";
import { defaultText, group, type Option, type Options } from "./options.ts";
import { wrap } from "./wrap.ts";

/** Columns of the terminal that texts are wrapped for. */
const COLUMNS = 80;

/** Heading of options that are in no group. */
const UNGROUPED = "Options";

/** Options of the program itself, before or instead of a command. */
export const programOptions = group("Options", {
  quiet: commonOptions.quiet,
  version: { type: "flag", short: "V", description: "print the version" },
  help: commonOptions.help,
});

/**
 * What `--help` of a command prints.
 *
 * @param command the command
 * @returns the text, without a final line break
 */
export function commandHelp(command: Command): string {
  const groups = optionGroups({ ...command.options, ...commonOptions });
  const examples = (command.examples ?? []).flatMap(([does, words]) => [
    ...wrap(does, COLUMNS - 4).map((line) => `  # ${line}`),
    `  ${programName()} ${words}`,
  ]);
  return [
    ...wrap(`${command.summary}.`, COLUMNS),
    "",
    `Usage: ${usage(command)}`,
    ...groups.flatMap(({ name, options }) => ["", `${name}:`, table(options.map(optionRow), 28)]),
    ...examples.length > 0 ? ["", "Examples:", ...examples] : [],
  ].join("\n");
}

/**
 * What `--help` of the program prints.
 *
 * @param commands all commands
 * @param tasks other names that the set-up script runs, with their summaries
 * @returns the text, without a final line break
 */
export function programHelp(
  commands: readonly Pick<Command, "name" | "summary">[],
  tasks: readonly (readonly [name: string, summary: string])[],
): string {
  return [
    "Espalier: structured pruning of speech models on WebGPU.",
    "",
    `Usage: ${programName()} COMMAND [OPTIONS]`,
    "",
    "Commands:",
    table(commands.map(({ name, summary }) => [name, summary]), 13),
    ...tasks.length > 0 ? ["", "Development tasks:", table(tasks, 13)] : [],
    "",
    "Options:",
    table(Object.entries(programOptions).map(optionRow), 13),
    "",
    `Options and examples of a command: ${programName()} help COMMAND`,
  ].join("\n");
}

/** How a command is called. */
export function usage(command: Command): string {
  const operands = command.operands === undefined ? [] : [command.operands];
  return [programName(), command.name, "[OPTIONS]", ...operands].join(" ");
}

/** The options under each heading, in the order of their declaration. */
export function optionGroups(
  options: Options,
): { readonly name: string; readonly options: readonly (readonly [string, Option])[] }[] {
  const groups = Map.groupBy(Object.entries(options), ([, option]) => option.group ?? UNGROUPED);
  return [...groups].map(([name, options]) => ({ name, options }));
}

/** An option as it is typed: `--target NUMBER`; `--no-NAME` for a flag that is on by default. */
export function spelling(name: string, option: Option): string {
  if (option.type === "flag") return option.default ? `--no-${name}` : `--${name}`;
  return `--${name} ${placeholder(name, option)}`;
}

/** What an option does, with its choices and its default. */
export function optionText(name: string, option: Option): string {
  const notes = [];
  if (option.type !== "flag") {
    const choices = choicesOf(option);
    const shownInText = choices?.every((choice) => option.description.includes(`(${choice})`));
    if (choices && !shownInText && placeholder(name, option) !== choices.join("|")) {
      notes.push(`[${choices.join(", ")}]`);
    }
    const shown = defaultText(option);
    if (option.required) notes.push("[required]");
    if (shown !== undefined) notes.push(`[default: ${shown}]`);
  }
  return [option.description, ...notes].join(" ");
}

function placeholder(name: string, option: Exclude<Option, { type: "flag" }>): string {
  if (option.value !== undefined) return option.value;
  const choices = choicesOf(option);
  if (choices) return choices.join("|").length <= 16 ? choices.join("|") : name.toUpperCase();
  return { string: "TEXT", path: "PATH", number: "NUMBER", integer: "N" }[option.type];
}

/** The words that the value of an option is one of; undefined where it is free. */
export function choicesOf(option: Option): readonly string[] | undefined {
  return option.type === "string" ? option.choices : undefined;
}

function optionRow([name, option]: readonly [string, Option]): [string, string] {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  return [short + spelling(name, option), optionText(name, option)];
}

/** Two columns, the second aligned and wrapped; an entry of the first that is too wide has a line of its own. */
function table(rows: readonly (readonly [string, string])[], width: number): string {
  const indent = " ".repeat(width + 4);
  return rows.map(([left, right]) => {
    // A note such as [default: 10] stays on one line if it fits.
    const fits = new RegExp(`\\[[^\\]]{1,${COLUMNS - width - 6}}\\]`, "g");
    const joined = right.replace(fits, (note) => note.replaceAll(" ", "\u00a0"));
    const lines = wrap(joined, COLUMNS - width - 4).join(`\n${indent}`).replaceAll("\u00a0", " ");
    return left.length > width ? `  ${left}\n${indent}${lines}` : `  ${left.padEnd(width)}  ${lines}`;
  }).join("\n");
}
