import type { Completable, CompletableCommand, CompletableOption } from "./completable.ts";

/** Completions for fish, as a file of its completions folder. */
export function fishCompletions({ commands, options }: Completable): string {
  const none = "__fish_use_subcommand";
  return [
    "# Completions of espalier for fish.",
    "complete -c espalier -f",
    ...options.map((option) => lineOf(none, option)),
    ...commands.map(({ name, summary }) =>
      `complete -c espalier -n ${none} -a ${name} -d ${quoted(summary)}`
    ),
    ...commands.flatMap(linesOf),
  ].join("\n");
}

function linesOf({ name, words, files, options }: CompletableCommand): string[] {
  const condition = quoted(`__fish_seen_subcommand_from ${name}`);
  return [
    ...options.map((option) => lineOf(condition, option)),
    ...words.length > 0 ? [`complete -c espalier -n ${condition} -a ${quoted(words.join(" "))}`] : [],
    ...files ? [`complete -c espalier -n ${condition} -F`] : [],
  ];
}

function lineOf(condition: string, { name, short, description, value, words }: CompletableOption): string {
  const takes = { none: "", any: " -x", files: " -r -F", words: ` -x -a ${quoted(words.join(" "))}` }[value];
  const letter = short === null ? "" : ` -s ${short}`;
  return `complete -c espalier -n ${condition} -l ${name}${letter}${takes} -d ${quoted(description)}`;
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
