import type { CtcTokenizer } from "./tokenizer.ts";

/**
 * Whether a vocabulary can spell a word of a language model, in any letter case. If not, the language model belongs to
 * another language or script, and every word is out of vocabulary for it.
 *
 * @param words Words of the language model.
 * @param tokenizer Vocabulary of the CTC model.
 *
 * @example
 * ```ts
 * import { parseTokenizer } from "./tokenizer.ts";
 * import { canSpellAny } from "./writable_words.ts";
 *
 * const tokenizer = parseTokenizer({ vocab: '{ "<pad>": 0, "|": 1, "A": 2 }' });
 * console.log(canSpellAny(["b", "a"], tokenizer), canSpellAny(["b"], tokenizer)); // true false
 * ```
 */
export function canSpellAny(words: Iterable<string>, tokenizer: CtcTokenizer): boolean {
  for (const word of words) {
    const spellings = [word, word.toUpperCase(), word.toLowerCase()];
    if (spellings.some((spelling) => tokenizer.missing(spelling).length === 0)) return true;
  }
  return false;
}
