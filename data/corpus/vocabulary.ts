// Transcripts and vocabularies: normalisation, building and reading.
import { type CtcTokenizer, parseTokenizer, type TokenizerFiles } from "../../model/decode/tokenizer.ts";
import { vocabularyOf } from "../../model/decode/nested_vocabulary.ts";
import { fileError } from "../../files/atomic_file.ts";

/** Tokens before the characters, in the order of the published English vocabularies. */
const SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "|"];

/**
 * Normalises a transcript for training, as LibriSpeech is written: Unicode NFKC, upper case, apostrophes of all shapes as
 * `'` and within words only, any other character that is not a letter, mark or digit as a space, single spaces. Digits
 * are kept: they are not spelled out.
 *
 * @param text Any text.
 * @param letterCase Case of the letters; default upper.
 * @returns `DON'T STOP` for `Don’t — stop!`.
 *
 * @example
 * ```ts
 * import { normalizeText } from "./vocabulary.ts";
 *
 * normalizeText("“Don’t stop,” he said."); // "DON'T STOP HE SAID"
 * ```
 */
export function normalizeText(text: string, letterCase: "upper" | "lower" = "upper"): string {
  const composed = text.normalize("NFKC").replace(/[’‘ʼ´`]/g, "'");
  return (letterCase === "upper" ? composed.toUpperCase() : composed.toLowerCase())
    .replace(/[^\p{L}\p{M}\p{N}']+/gu, " ")
    .replace(/(?<![\p{L}\p{M}\p{N}])'+|'+(?![\p{L}\p{M}\p{N}])/gu, " ")
    .replace(/ +/g, " ")
    .trim();
}

/**
 * The letter case of a vocabulary: lower if it has lower-case letters and no capitals, else upper.
 *
 * @param tokenizer The vocabulary's tokenizer.
 */
export function letterCaseOf(tokenizer: CtcTokenizer): "upper" | "lower" {
  const letters = tokenizer.tokens.filter((token) => token !== null && [...token].length === 1).join("");
  return letters !== letters.toUpperCase() && letters === letters.toLowerCase() ? "lower" : "upper";
}

/**
 * Normalises a transcript for a vocabulary: {@linkcode normalizeText} in its letter case. Phonemes stay as they are, with single
 * spaces, since tone marks and modifier letters distinguish them.
 *
 * @param text Any text.
 * @param tokenizer The vocabulary's tokenizer.
 */
export function normalizeFor(text: string, tokenizer: CtcTokenizer): string {
  if (tokenizer.phonemes) return text.trim().replace(/\s+/g, " ");
  return normalizeText(text, letterCaseOf(tokenizer));
}

/**
 * Builds a vocabulary of characters: `<pad>` 0, the blank of CTC; `<s>`, `</s>`, `<unk>`, `|` between words; then the
 * characters in the order of Unicode.
 *
 * @param texts Normalised transcripts.
 * @returns Ids by token: the content of `vocab.json`.
 * @throws {RangeError} If there are no characters.
 *
 * @example
 * ```ts
 * import { buildVocabulary } from "./vocabulary.ts";
 *
 * buildVocabulary(["AB A"])["A"]; // 5
 * ```
 */
export function buildVocabulary(texts: Iterable<string>): Record<string, number> {
  const characters = new Set<string>();
  for (const text of texts) for (const character of text) characters.add(character);
  for (const space of [" ", "|"]) characters.delete(space);
  if (characters.size === 0) {
    throw new RangeError("Cannot build a vocabulary as the transcripts must have characters: there are none");
  }
  return Object.fromEntries([...SPECIAL, ...[...characters].sort()].map((token, id) => [token, id]));
}

/**
 * Builds a tokenizer with the vocabulary of {@linkcode buildVocabulary}.
 *
 * @param texts Normalised transcripts.
 * @throws {RangeError} If there are no characters.
 */
export function tokenizerOf(texts: Iterable<string>): CtcTokenizer {
  return parseTokenizer({ vocab: JSON.stringify(buildVocabulary(texts)) });
}

/**
 * Reads a vocabulary and the tokenizer's other files in the same folder.
 *
 * @param path Path of `vocab.json` or of its folder.
 * @param language Language of a multilingual vocabulary, as MMS has it; default: that of `tokenizer_config.json`.
 * @throws {SyntaxError | TypeError | RangeError} If a file is invalid, see {@linkcode parseTokenizer}.
 * @throws {Error} If it cannot be read; one line that names the path.
 *
 * @example
 * ```ts ignore
 * const tokenizer = await readVocabulary("wav2vec2-base-100h");
 * ```
 */
export async function readVocabulary(path: string, language?: string): Promise<CtcTokenizer> {
  const isFolder = await Deno.stat(path).then((found) => found.isDirectory, () => false);
  const file = isFolder ? `${path}/vocab.json` : path;
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
  const vocab = await Deno.readTextFile(file).catch((error) => {
    throw fileError("read", file, error);
  });
  const beside = {
    tokenizerConfig: "tokenizer_config.json",
    specialTokensMap: "special_tokens_map.json",
    addedTokens: "added_tokens.json",
  } satisfies Partial<Record<keyof TokenizerFiles, string>>;
  const found = await Promise.all(
    Object.entries(beside).map(async ([key, name]) => {
      const text = await Deno.readTextFile(`${folder}/${name}`).catch((error) => {
        if (error instanceof Deno.errors.NotFound) return undefined;
        throw fileError("read", `${folder}/${name}`, error);
      });
      return text === undefined ? [] : [[key, text]];
    }),
  );
  const files: Omit<TokenizerFiles, "vocab"> = Object.fromEntries(found.flat());
  const { vocab: flat, tokenizerConfig } = vocabularyOf({ ...files, vocab }, language, file);
  return parseTokenizer({
    ...files,
    vocab: flat,
    ...tokenizerConfig !== undefined && { tokenizerConfig },
    name: file,
  });
}
