import type { Command, Option } from "./command.ts";
import { wrap } from "./wrap.ts";

const helpRow = ["-h, --help", "print this help"] as const;

/**
 * What `--help` of one command prints.
 *
 * @param command the command
 * @returns the text, without a final line break
 */
export function commandHelp(command: Command): string {
  const rows = [...optionRows(command), helpRow];
  return [
    `${command.summary}.`,
    "",
    `  ${usage(command)}`,
    "",
    table(rows),
  ].join("\n");
}

/**
 * What `--help` of the program prints.
 *
 * @param commands all commands
 * @returns the text, without a final line break
 */
export function programHelp(commands: readonly Command[]): string {
  return [
    "Structured pruning of speech models on WebGPU.",
    "",
    "  espalier COMMAND [OPTIONS]",
    "",
    table(commands.map((command) => [command.name, command.summary])),
    "",
    "The options of a command: espalier COMMAND --help",
  ].join("\n");
}

/**
 * The section of the README on one command.
 *
 * @param command the command
 * @returns Markdown, without a final line break
 */
export function commandSection(command: Command): string {
  const rows = optionRows(command).map(([option, description]) => `- \`${option}\`: ${description}`);
  return [
    `### \`${command.name}\``,
    "",
    `${command.summary}: \`${usage(command)}\``,
    ...(rows.length === 0 ? [] : ["", ...rows]),
  ].join("\n");
}

function usage(command: Command): string {
  const options = Object.keys(command.options).length === 0 ? [] : ["[OPTIONS]"];
  const operands = command.operands === undefined ? [] : [command.operands];
  return ["./espalier", command.name, ...options, ...operands].join(" ");
}

function optionRows(command: Command): [string, string][] {
  return Object.entries(command.options).map(([name, option]) => [
    `${option.short ? `-${option.short}, ` : ""}--${spelling(name, option)}`,
    option.description + note(option),
  ]);
}

function spelling(name: string, option: Option): string {
  switch (option.type) {
    case "flag":
      return option.default ? `no-${name}` : name;
    case "string":
      return `${name} ${option.choices?.join("|") ?? "TEXT"}`;
    default:
      return `${name} ${{ path: "PATH", number: "NUMBER", integer: "N" }[option.type]}`;
  }
}

function note(option: Option): string {
  if (option.type === "flag") return "";
  if (option.required) return " (required)";
  return option.default === undefined ? "" : ` (default ${option.default})`;
}

/** Columns of a terminal that texts are broken for. */
const COLUMNS = 100;

/** Two columns, the second aligned, broken into lines; what is longest in the first has a line of its own. */
function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(26, Math.max(...rows.map(([left]) => left.length)));
  const indent = " ".repeat(width + 4);
  return rows.map(([left, right]) => {
    const lines = wrap(right, COLUMNS - width - 4).join(`\n${indent}`);
    return left.length > width ? `  ${left}\n${indent}${lines}` : `  ${left.padEnd(width)}  ${lines}`;
  }).join("\n");
}
