import type { Completable, CompletableCommand, CompletableOption } from "./completable.ts";

/** Completions for zsh, as a file of `$fpath`, or a script to evaluate. */
export function zshCompletions({ commands, options }: Completable): string {
  return `#compdef espalier
# Completions of espalier for zsh.
_espalier() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  _arguments -C ${options.flatMap(specsOf).join(" ")} '1: :->command' '*:: :->arguments'
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quoted(`${name}:${escaped(summary)}`)}`).join("\n")}
      )
      _describe command commands ;;
    arguments)
      case $line[1] in
${commands.map(caseOf).join("\n")}
      esac ;;
  esac
}
if [[ $funcstack[1] == _espalier ]]; then _espalier "$@"; else compdef _espalier espalier; fi`;
}

function caseOf({ name, words, files, options }: CompletableCommand): string {
  const specs = options.flatMap(specsOf);
  if (words.length > 0) specs.push(quoted(`1: :(${words.join(" ")})`));
  if (words.length > 1 && name === "cache") specs.push(quoted(`2: :(${words.slice(1).join(" ")})`));
  if (files) specs.push(quoted("*: :_files"));
  return [
    `        ${name})`,
    `          _arguments \\`,
    specs.map((spec) => `            ${spec}`).join(" \\\n") + " ;;",
  ]
    .join("\n");
}

/** The arguments of \`_arguments\` for one option, one for each spelling. */
function specsOf({ name, short, description, value, words }: CompletableOption): string[] {
  const action = { none: "", any: ": : ", files: ": :_files", words: `: :(${words.join(" ")})` }[value];
  const text = `[${escaped(description)}]${action}`;
  return [`--${name}`, ...short === null ? [] : [`-${short}`]].map((spelling) => quoted(spelling + text));
}

/** Text in which brackets and colons stand for themselves. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
