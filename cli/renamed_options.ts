import type { Options } from "./options.ts";

/** Earlier names of options. They are still read, and are not in the help. */
const RENAMED: Readonly<Record<string, string>> = {
  "tune-steps": "finetune-steps",
  "tune-lr": "finetune-lr",
  accumulate: "grad-accum-steps",
  recompute: "grad-checkpoint",
  clip: "max-grad-norm",
  window: "chunk-length",
};

/**
 * The current name of an option.
 *
 * @param name the name that was given
 * @param options options of the command
 * @returns the new name, or `name` itself where it was not renamed
 */
export function currentName(name: string, options: Options): string {
  const renamed = Object.hasOwn(RENAMED, name) ? RENAMED[name]! : name;
  return Object.hasOwn(options, renamed) && !Object.hasOwn(options, name) ? renamed : name;
}

/**
 * Saved options or a recipe by their current names.
 *
 * @param given values by name
 * @param options options of the command
 * @returns the values, and a note for each renamed option
 */
export function withCurrentNames(
  given: Readonly<Record<string, unknown>>,
  options: Options,
): { given: Record<string, unknown>; notes: string[] } {
  const notes: string[] = [];
  const entries = Object.entries(given).map(([name, value]) => {
    const current = currentName(name, options);
    if (current !== name) notes.push(renamedNote(name, current));
    return [current, value];
  });
  return { given: Object.fromEntries(entries), notes };
}

/**
 * A command line with the current names of its options.
 *
 * @param words the words after the command's name
 * @param options options of the command
 * @returns the words, and a note for each renamed option
 */
export function wordsWithCurrentNames(
  words: readonly string[],
  options: Options,
): { words: string[]; notes: string[] } {
  const notes: string[] = [];
  const end = words.indexOf("--");
  const renamed = words.map((word, i) => {
    const [, name, rest = ""] = /^--([^=]+)(=.*)?$/s.exec(word) ?? [];
    if (name === undefined || (end >= 0 && i > end)) return word;
    const current = currentName(name, options);
    if (current === name) return word;
    notes.push(renamedNote(name, current));
    return `--${current}${rest}`;
  });
  return { words: renamed, notes };
}

function renamedNote(name: string, current: string): string {
  return `--${name} is now --${current}`;
}
