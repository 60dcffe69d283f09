import { type Command, defineCommand } from "./command.ts";
import { completable } from "./completable.ts";
import { bashCompletions } from "./completions_bash.ts";
import { fishCompletions } from "./completions_fish.ts";
import { zshCompletions } from "./completions_zsh.ts";
import { print } from "./print.ts";
import { UserError } from "./user_error.ts";

/** The script for each shell, and a file where the shell finds it. */
const SHELLS = {
  bash: { script: bashCompletions, file: "~/.local/share/bash-completion/completions/espalier" },
  zsh: { script: zshCompletions, file: "~/.zfunc/_espalier" },
  fish: { script: fishCompletions, file: "~/.config/fish/completions/espalier.fish" },
} as const;

/**
 * `completions`: shell completions, made from the declarations.
 *
 * @param commandsOf all commands; a function, since this command is one of them
 */
export function completionsCommand(commandsOf: () => readonly Command[]): Command {
  return defineCommand({
    name: "completions",
    summary: "Print shell completions for bash, zsh or fish",
    access: [],
    operands: "bash|zsh|fish",
    choices: Object.keys(SHELLS),
    options: {},
    examples: Object.entries(SHELLS).map(([shell, { file }]) =>
      [`install for ${shell}`, `completions ${shell} > ${file}`] as const
    ),
    run: (_, [shell, ...more]) => {
      if (shell === undefined || more.length > 0 || !Object.hasOwn(SHELLS, shell)) {
        throw new UserError(
          `completions takes one of ${Object.keys(SHELLS).join(", ")}: got ${shell ?? "none"}`,
        );
      }
      print(SHELLS[shell as keyof typeof SHELLS].script(completable(commandsOf())));
      return Promise.resolve(0);
    },
  });
}
