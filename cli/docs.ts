/**
 * Writes docs/cli.md and the tasks of deno.json from the declarations of the commands:
 * `deno run -RW cli/docs.ts`.
 *
 * @module
 */
import { type Command, commonOptions } from "./command.ts";
import { optionGroups, optionText, programOptions, spelling, usage } from "./help.ts";
import { commands } from "./main.ts";
import type { Option } from "./options.ts";
import { permissionFlags } from "./permissions.ts";

/**
 * The reference of the command line.
 *
 * @param of the commands
 * @returns Markdown
 */
export function cliReference(of: readonly Command[]): string {
  return [
    "# Command line",
    "",
    "<!-- Written by cli/docs.ts from the declarations of the commands. -->",
    "",
    "    ./espalier COMMAND [OPTIONS]",
    "",
    "`./espalier --help` lists the commands, and `./espalier help COMMAND` the options of one. Paths are relative to",
    "the current folder. `./espalier` first installs Deno and a Vulkan driver where they are missing; with both in place,",
    "`deno task COMMAND` is the same.",
    "",
    ...of.map(({ name, summary }) => `- [\`${name}\`](#${name}): ${summary}`),
    "",
    "Options of the program:",
    "",
    ...Object.entries(programOptions).map(optionItem),
    "",
    "Options of every command:",
    "",
    ...Object.entries(commonOptions).map(optionItem),
    "",
    ...NOTES,
    ...of.flatMap((command) => ["", ...commandSection(command)]),
    "",
  ].join("\n");
}

const NOTES = [
  "## Exit status",
  "",
  "- 0: success",
  "- 1: some audio files could not be read, `data check` found errors, runs of a `sweep` failed, or the program has a defect (with a",
  "  stack trace)",
  "- 2: a mistake in the command line or in a file, or a machine that fails (disk, device, memory, network): one line on",
  "  standard error; see [reliability](reliability.md)",
  "- 130, 143, 129: ended by Ctrl-C, SIGTERM or SIGHUP; `train`, `prune` and `sweep` save their state and print how to resume",
  "",
  "## Output",
  "",
  "Results go to standard output, as text or with `--json` as JSON. Progress, notes and errors go to standard error;",
  "`--quiet` leaves only errors. There are no colour codes where standard error is not a terminal or `NO_COLOR` is set.",
  "",
  "## Recipes",
  "",
  "`train`, `prune` and `sweep` read options from a JSON file with `--recipe`: an object of option names and values. Paths in it",
  "are relative to its folder, and options on the command line win. `--no-NAME` turns a flag of the recipe off.",
  "",
  "## Environment",
  "",
  "- `HF_TOKEN`: token for private models on the hub",
  "- `HF_HUB_CACHE`, `HF_HOME`: folder of downloaded models",
  "- `HF_ENDPOINT`: another hub, such as a mirror",
  "- `HF_HUB_OFFLINE`: `1`: use downloaded models only",
  "- `XDG_CACHE_HOME`: parent of the folder for corpora and kernel timings (default: `~/.cache`)",
  "- `DENO_WEBGPU_BACKEND`: WebGPU backend (default on Linux: `vulkan`)",
  "- `ESPALIER_GEMM`: GEMM kernel to use instead of the fastest one",
  "- `ESPALIER_SUBGROUPS`: `1` to reduce within subgroups (default: where the adapter lists them), `0` to not use them at all",
  "- `NO_COLOR`: no colour codes",
];

/** The section of one command, as lines of Markdown. */
function commandSection(command: Command): string[] {
  return [
    `## ${command.name}`,
    "",
    `${command.summary}.`,
    "",
    `    ${usage(command)}`,
    ...optionGroups(command.options).flatMap(({ name, options }) => [
      "",
      `### ${name}`,
      "",
      ...options.map(optionItem),
    ]),
    ...command.examples
      ? ["", "### Examples", "", "```sh", ...command.examples.flatMap(exampleLines), "```"]
      : [],
  ];
}

function optionItem([name, option]: readonly [string, Option]): string {
  const short = option.short === undefined ? "" : `\`-${option.short}\`, `;
  return `- ${short}\`${spelling(name, option)}\`: ${optionText(name, option).replaceAll("<", "\\<")}`;
}

function exampleLines([does, words]: readonly [string, string]): string[] {
  return [`# ${does}`, `./espalier ${words}`];
}

/**
 * deno.json with the tasks of the commands: summary, permissions, and a task for a command that has none.
 *
 * @param text the file
 * @param of the commands
 */
export function withTasks(text: string, of: readonly Command[]): string {
  return of.reduce((text, command) => {
    const { name, summary } = command;
    const words = ["deno run", ...permissionFlags(command.access), "--lock=deno.lock", "cli.ts", name];
    const task = `"${name}": {
      "description": ${JSON.stringify(summary)},
      "command": ${JSON.stringify(words.join(" "))}
    }`;
    const known = new RegExp(`(?<=\\n {4})"${name}": \\{\\s*"description"[^}]*\\}`);
    if (known.test(text)) return text.replace(known, () => task);
    return text.replace(/(?=\n {4}"bench": )/, () => `\n    ${task},`);
  }, text);
}

if (import.meta.main) {
  const write = async (path: string, change: (text: string) => string) => {
    const url = new URL(path, import.meta.url);
    await Deno.writeTextFile(url, change(await Deno.readTextFile(url).catch(() => "")));
  };
  await write("../docs/cli.md", () => cliReference(commands));
  await write("../deno.json", (text) => withTasks(text, commands));
}
