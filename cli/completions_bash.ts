import type { Completable, CompletableCommand, CompletableOption } from "./completable.ts";

/**
 * Completions for bash, as a script to evaluate. Where a file or folder is expected the function gives no reply, and
 * bash completes file names itself (`-o default`).
 */
export function bashCompletions({ commands, options }: Completable): string {
  const names = [...commands.map(({ name }) => name), ...spellings(options)];
  return `# Completions of espalier for bash: eval "$(espalier completions bash)"
_espalier() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in -*) ;; *) command=\${COMP_WORDS[i]}; break ;; esac
  done
  COMPREPLY=()
  case $command in
    '') ${oneOf(names)} ;;
${commands.map(caseOf).join("\n")}
  esac
}
complete -o default -F _espalier espalier`;
}

function caseOf({ name, words, files, options }: CompletableCommand): string {
  const of = (value: CompletableOption["value"]) => options.filter((option) => option.value === value);
  const [fileOptions, anyOptions] = [spellings(of("files")), spellings(of("any"))];
  const valued = [
    ...of("words").map((option) => `${spellings([option]).join("|")}) ${oneOf(option.words)}; return ;;`),
    ...fileOptions.length > 0 ? [`${fileOptions.join("|")}) return ;;`] : [],
    ...anyOptions.length > 0 ? [`${anyOptions.join("|")}) ${NO_FILES}; return ;;`] : [],
  ];
  const operands = words.length > 0 ? oneOf(words) : files ? ":" : NO_FILES;
  return [
    `    ${name})`,
    ...valued.length > 0
      ? ["      case $before in", ...valued.map((line) => `        ${line}`), "      esac"]
      : [],
    "      case $word in",
    `        -*) ${oneOf(spellings(options))} ;;`,
    `        *) ${operands} ;;`,
    "      esac ;;",
  ].join("\n");
}

/** Bash 3.2 does not have it, and shows file names. */
const NO_FILES = "compopt +o default 2>/dev/null";

function oneOf(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$word"))`;
}

function spellings(options: readonly CompletableOption[]): string[] {
  return options.flatMap(({ name, short }) => [`--${name}`, ...short === null ? [] : [`-${short}`]]);
}
