import type { Completable, CompletableCommand, CompletableOption } from "./completions.ts";

/** Completions for bash, as a script to evaluate. */
export function bashCompletions({ commands, options }: Completable): string {
  const names = [...commands.map(({ name }) => name), ...spellings(options)].join(" ");
  return `# Completions of espalier for bash: eval "$(espalier completions bash)"
_espalier() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in -*) ;; *) command=\${COMP_WORDS[i]}; break ;; esac
  done
  COMPREPLY=()
  case $command in
    '') COMPREPLY=($(compgen -W '${names}' -- "$word")) ;;
${commands.map(caseOf).join("\n")}
  esac
}
complete -o filenames -F _espalier espalier`;
}

function caseOf({ name, words, files, options }: CompletableCommand): string {
  const valued = options.filter(({ value }) => value !== "none").map((option) =>
    `        ${spellings([option]).join("|")}) ${answerOf(option)}; return ;;`
  );
  const rest = [
    ...words.length > 0 ? [`COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$word"))`] : [],
    ...files ? [`COMPREPLY+=($(compgen -f -- "$word"))`] : [],
  ];
  return [
    `    ${name})`,
    ...valued.length > 0 ? ["      case $before in", ...valued, "      esac"] : [],
    `      case $word in`,
    `        -*) COMPREPLY=($(compgen -W '${spellings(options).join(" ")}' -- "$word")) ;;`,
    `        *) ${rest.join("; ") || ":"} ;;`,
    "      esac ;;",
  ].join("\n");
}

function answerOf({ value, words }: CompletableOption): string {
  if (value === "words") return `COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$word"))`;
  return value === "files" ? `COMPREPLY=($(compgen -f -- "$word"))` : ":";
}

function spellings(options: readonly CompletableOption[]): string[] {
  return options.flatMap(({ name, short }) => [`--${name}`, ...short === null ? [] : [`-${short}`]]);
}
