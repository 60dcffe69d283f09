// Vocabularies of several languages in one file, as MMS has them: { "eng": { "a": 5, … }, "fra": { … } }.
import { printable } from "../../files/printable.ts";
import { isObject, JsonFields } from "../checkpoint/json_fields.ts";

/** Files of a tokenizer that a language changes, as text. */
export interface VocabularyFiles {
  /** `vocab.json`. */
  readonly vocab: string;
  /** `tokenizer_config.json`. */
  readonly tokenizerConfig?: string | undefined;
}

/** Languages that an error lists. */
const LISTED = 8;

/**
 * The vocabulary of one language, as a model of this language alone has it. Files with one vocabulary are returned as they are.
 *
 * @param files The files.
 * @param language The language; default: `target_lang` of `tokenizer_config.json`.
 * @param name File name of `vocab.json` for error messages.
 * @throws {SyntaxError} If a file is not a JSON object.
 * @throws {RangeError} If there is no vocabulary of the language, or no language is given; one line that lists languages.
 *
 * @example
 * ```ts
 * import { vocabularyOf } from "./nested_vocabulary.ts";
 *
 * const vocab = '{ "eng": { "<pad>": 0, "a": 1 }, "fra": { "<pad>": 0, "é": 1 } }';
 * console.log(vocabularyOf({ vocab }, "fra").vocab); // { "<pad>": 0, "é": 1 }, on lines
 * ```
 */
export function vocabularyOf(
  files: VocabularyFiles,
  language?: string,
  name = "vocab.json",
): VocabularyFiles {
  const nested = new JsonFields(files.vocab, printable(name)).raw;
  const languages = Object.keys(nested);
  if (languages.length === 0 || !Object.values(nested).every(isObject)) return files;
  const { tokenizerConfig } = files;
  const { target_lang, ...config } = new JsonFields(tokenizerConfig ?? "{}", "tokenizer_config.json").raw;
  const chosen = language ?? target_lang;
  if (typeof chosen !== "string" || !Object.hasOwn(nested, chosen)) {
    const more = languages.length > LISTED ? ` and ${languages.length - LISTED} more` : "";
    const list = languages.slice(0, LISTED).map(printable).join(", ") + more;
    const found = typeof chosen === "string" ? `${printable(chosen)} is not one of` : "none is given of";
    throw new RangeError(`Cannot read ${printable(name)} as its language must be known: ${found} ${list}`);
  }
  return {
    vocab: json(nested[chosen]),
    // With target_lang, transformers would look for the language in the vocabulary.
    ...tokenizerConfig !== undefined &&
      { tokenizerConfig: target_lang === undefined ? tokenizerConfig : json(config) },
  };
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
