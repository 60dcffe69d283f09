// Reads the tokenizer of a CTC model from its files.
import { CtcTokenizer, type JoinOptions } from "./ctc_tokenizer.ts";
import { printable } from "../../files/printable.ts";
import { vocabularyOf } from "./nested_vocabulary.ts";
import { isObject, JsonFields, show } from "../checkpoint/json_fields.ts";

export { CtcTokenizer, type JoinOptions };

/** Files of a CTC tokenizer, as text. Only `vocab.json` is required. */
export interface TokenizerFiles {
  /** `vocab.json`: id by token. */
  readonly vocab: string;
  /** `tokenizer_config.json`: special tokens, word delimiter, letter case. */
  readonly tokenizerConfig?: string;
  /** `special_tokens_map.json`: special tokens. */
  readonly specialTokensMap?: string;
  /** `added_tokens.json`: id by token, in addition to `vocab.json`. */
  readonly addedTokens?: string;
  /** File name of `vocab.json` for error messages. */
  readonly name?: string;
}

const SPECIAL = { pad_token: "<pad>", unk_token: "<unk>", bos_token: "<s>", eos_token: "</s>" };

/**
 * Parses a CTC tokenizer. Defaults: special tokens `<pad>`, `<unk>`, `<s>` and `</s>`, word delimiter `|`. With `do_lower_case`,
 * texts are converted to upper case for the model and back to lower case, as in transformers. Tokens are phonemes with
 * `Wav2Vec2PhonemeCTCTokenizer` or a `phone_delimiter_token`, and where tokens have several characters and none separates words. Of
 * vocabularies in several languages, that of `target_lang` is taken.
 *
 * @throws {SyntaxError} If a file is not a JSON object, or two tokens have the same id.
 * @throws {TypeError | RangeError} If an id is not a whole number, there are no tokens, or the padding token is missing.
 *
 * @example
 * ```ts
 * import { parseTokenizer } from "./tokenizer.ts";
 *
 * const tokenizer = parseTokenizer({ vocab: '{ "<pad>": 0, "|": 1, "A": 2, "B": 3 }' });
 * console.log(tokenizer.encode("AB A")); // [2, 3, 1, 2]
 * console.log(tokenizer.decode([0, 2, 2, 0, 2, 1, 3])); // "AA B"
 * ```
 */
export function parseTokenizer(files: TokenizerFiles): CtcTokenizer {
  const name = printable(files.name ?? "vocab.json");
  const ids = new Map<string, number>();
  const { vocab, tokenizerConfig = "{}" } = vocabularyOf(files, undefined, name);
  const config = new JsonFields(tokenizerConfig, "tokenizer_config.json").raw;
  const map = new JsonFields(files.specialTokensMap ?? "{}", "special_tokens_map.json").raw;
  addTokens(ids, new JsonFields(vocab, name).raw, name);
  const base_size = [...ids.values()].reduce((size, id) => Math.max(size, id + 1), 0);
  addTokens(ids, new JsonFields(files.addedTokens ?? "{}", "added_tokens.json").raw, "added_tokens.json");
  // Newer versions store the added tokens by id.
  const added = isObject(config["added_tokens_decoder"]) ? config["added_tokens_decoder"] : {};
  const byToken = Object.entries(added).map(([id, token]) => [contentOf(token) ?? "", Number(id)]);
  addTokens(ids, Object.fromEntries(byToken), "tokenizer_config.json");
  if (ids.size === 0) throw new RangeError(`Cannot read ${name} as it must have tokens: there are none`);
  const word = (key: string, otherwise: string) => contentOf(config[key]) ?? contentOf(map[key]) ?? otherwise;
  const phonemes = config["tokenizer_class"] === "Wav2Vec2PhonemeCTCTokenizer" ||
    contentOf(config["phone_delimiter_token"]) !== undefined;
  const special = Object.entries(SPECIAL).map(([key, token]) => [key, word(key, token)]);
  const settings = {
    ...Object.fromEntries(special) as Record<keyof typeof SPECIAL, string>,
    word_delimiter_token: word("word_delimiter_token", phonemes ? "" : "|"),
    replace_word_delimiter_char: word("replace_word_delimiter_char", " "),
    do_lower_case: config["do_lower_case"] === true,
    base_size,
    ...phonemes && { phonemes },
  };
  return new CtcTokenizer(ids, settings, name);
}

/**
 * Reads the tokenizer of a CTC model from its files; added tokens that the head has no output for are dropped.
 *
 * @param text Reads a file of the model as text; undefined if it is missing.
 * @param vocabSize Number of outputs of the CTC head.
 * @param name Path or name of the model for error messages.
 * @returns The tokenizer; null without `vocab.json`.
 * @throws {SyntaxError | TypeError | RangeError} If a file is invalid, or the vocabulary has another size than the head; one line.
 */
export async function readTokenizer(
  text: (file: string) => Promise<string | undefined>,
  vocabSize: number,
  name: string,
): Promise<CtcTokenizer | null> {
  const vocab = await text("vocab.json");
  if (vocab === undefined) return null;
  const files = {
    tokenizerConfig: await text("tokenizer_config.json"),
    specialTokensMap: await text("special_tokens_map.json"),
    addedTokens: await text("added_tokens.json"),
  };
  const present = Object.entries(files).filter(([, content]) => content !== undefined);
  const tokenizer = parseTokenizer({ vocab, name: `${name}/vocab.json`, ...Object.fromEntries(present) })
    .trimmed(vocabSize);
  tokenizer.checkSize(vocabSize, `${name}/vocab.json`);
  return tokenizer;
}

// Ids are indices of a list, so a huge id must not allocate one.
const MAX_ID = 2 ** 20;

function addTokens(ids: Map<string, number>, entries: Readonly<Record<string, unknown>>, name: string): void {
  const taken = new Map([...ids].map(([token, id]) => [id, token]));
  for (const [token, id] of Object.entries(entries)) {
    if (typeof id !== "number") {
      throw new TypeError(
        `Cannot read ${name} as each token must have an id: that of ${show(token)} is ${show(id)}`,
      );
    }
    if (!(Number.isInteger(id) && id >= 0 && id < MAX_ID)) {
      throw new RangeError(
        `Cannot read ${name} as an id must be a whole number below 2^20: that of ${show(token)} is ${id}`,
      );
    }
    if (taken.has(id) && taken.get(id) !== token || ids.has(token) && ids.get(token) !== id) {
      const other = taken.get(id) ?? token;
      throw new SyntaxError(
        `Cannot read ${name} as ids must be unique: ${show(token)} and ${show(other)} have ${id}`,
      );
    }
    ids.set(token, id);
    taken.set(id, token);
  }
}

/** Text of a special token, which is a string or an object with `content`. */
function contentOf(token: unknown): string | undefined {
  if (isObject(token)) return contentOf(token["content"]);
  return typeof token === "string" ? token : undefined;
}
