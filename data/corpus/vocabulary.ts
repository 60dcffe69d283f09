import { type CtcTokenizer, parseTokenizer, type TokenizerFiles } from "../../model/decode/tokenizer.ts";
import { fileError } from "../../files/atomic_file.ts";

/** Tokens before the characters, as the published English vocabularies have them. */
const SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "|"];

/**
 * A transcript as models are trained on it, the way LibriSpeech writes: Unicode's compatibility composition (NFKC),
 * capitals, apostrophes of all shapes as `'` within words only, and every other character that is no letter, mark or
 * digit as a space; single spaces. Numbers are left as they are: whoever wants words must write words.
 *
 * @param text Any text.
 * @param letterCase Case of the letters; upper unless given.
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
 * The case that a vocabulary wants: lower if it has lower-case letters and no capitals.
 *
 * @param tokenizer The vocabulary.
 */
export function letterCaseOf(tokenizer: CtcTokenizer): "upper" | "lower" {
  const letters = tokenizer.tokens.filter((token) => token !== null && [...token].length === 1).join("");
  return letters !== letters.toUpperCase() && letters === letters.toLowerCase() ? "lower" : "upper";
}

/**
 * A vocabulary of the characters of some texts, which should be normalised: `<pad>` 0, the blank of CTC; `<s>`, `</s>`,
 * `<unk>`, `|` between words; then the characters in Unicode's order.
 *
 * @param texts Transcripts.
 * @returns Id by token: the content of `vocab.json`.
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
 * A tokenizer of {@linkcode buildVocabulary}'s vocabulary.
 *
 * @param texts Transcripts, normalised.
 * @throws {RangeError} If there are no characters.
 */
export function tokenizerOf(texts: Iterable<string>): CtcTokenizer {
  return parseTokenizer({ vocab: JSON.stringify(buildVocabulary(texts)) });
}

/**
 * Reads a vocabulary, with the files beside it that a tokenizer may have.
 *
 * @param path `vocab.json`, or the folder that it is in.
 * @throws {SyntaxError | TypeError | RangeError} If a file is not as it should be, see
 * {@linkcode parseTokenizer}.
 * @throws {Error} If it cannot be read; one line that names it.
 *
 * @example
 * ```ts ignore
 * const tokenizer = await readVocabulary("wav2vec2-base-100h");
 * ```
 */
export async function readVocabulary(path: string): Promise<CtcTokenizer> {
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
  return parseTokenizer({ vocab, name: file, ...Object.fromEntries(found.flat()) });
}
