import type { ReadFile } from "../checkpoint/weight_files.ts";
import type { ModelConfig } from "../config.ts";
import { type CtcTokenizer, parseTokenizer } from "../decode/tokenizer.ts";
import { DEFAULT_PREPROCESSOR, featureExtractorIn } from "./preprocess.ts";

/** The small files of a model, as text by name, such as `vocab.json`. */
export type ModelFiles = Readonly<Record<string, string>>;

/** Files of a tokenizer beside its vocabulary. */
export const TOKENIZER_FILES = [
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
] as const;

/** Record of how a model was pruned; it stays with the model. */
export const RECORD_FILE = "espalier.json";

/**
 * Reads the files of a model besides config and weights. `preprocessor_config.json` is always among them.
 *
 * @param read Reads a file of the model; null for a model that has no files yet.
 * @param config Architecture.
 * @param name Name of the model for errors.
 */
export async function modelFiles(
  read: ReadFile | null,
  config: ModelConfig,
  name: string,
): Promise<Record<string, string>> {
  const text = async (file: string) => {
    const bytes = await read?.(file);
    return bytes ? new TextDecoder().decode(bytes) : null;
  };
  const files: Record<string, string> = {};
  for (const file of ["preprocessor_config.json", "vocab.json", ...TOKENIZER_FILES, RECORD_FILE]) {
    const found = await text(file);
    if (found !== null) files[file] = found;
  }
  const processor = await text("processor_config.json");
  const extractor = processor && featureExtractorIn(processor, `${name}/processor_config.json`);
  if (extractor) files["preprocessor_config.json"] = extractor;
  if (files["vocab.json"] === undefined) { for (const file of TOKENIZER_FILES) delete files[file]; }
  // As the published models have it: those of the group family were trained without an attention mask.
  const otherwise = read === null
    ? { ...DEFAULT_PREPROCESSOR, return_attention_mask: config.feat_extract_norm === "layer" }
    : DEFAULT_PREPROCESSOR;
  files["preprocessor_config.json"] ??= json({
    ...otherwise,
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
  });
  return files;
}

/**
 * The tokenizer of a model's files.
 *
 * @param files Files, `vocab.json` among them.
 * @param name Name of the vocabulary for errors.
 * @throws {SyntaxError | TypeError | RangeError} If a file is invalid; one line.
 */
export function tokenizerIn(files: ModelFiles, name: string): CtcTokenizer {
  const [tokenizerConfig, specialTokensMap, addedTokens] = TOKENIZER_FILES.map((file) => files[file]);
  return parseTokenizer({
    vocab: files["vocab.json"]!,
    name,
    ...tokenizerConfig !== undefined && { tokenizerConfig },
    ...specialTokensMap !== undefined && { specialTokensMap },
    ...addedTokens !== undefined && { addedTokens },
  });
}

/** A value as the text of a JSON file. */
export function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
