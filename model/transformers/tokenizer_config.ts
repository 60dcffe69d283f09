import type { CtcTokenizer } from "../decode/ctc_tokenizer.ts";

/**
 * The `tokenizer_config.json` of a CTC vocabulary: the settings of the model, and those without which transformers and transformers.js do
 * not load the tokenizer. Added tokens are in `vocab.json`.
 *
 * @param tokenizer The tokenizer.
 * @param source Text of the model's own file, if it has one.
 */
export function tokenizerConfig(
  { tokens, padId, unknownId, delimiterId }: CtcTokenizer,
  source = "{}",
): Record<string, unknown> {
  const { added_tokens_decoder: _, ...given } = JSON.parse(source) as Record<string, unknown>;
  return {
    pad_token: tokens[padId],
    ...unknownId !== null && { unk_token: tokens[unknownId] },
    ...delimiterId !== null && { word_delimiter_token: tokens[delimiterId] },
    ...given,
    tokenizer_class: "Wav2Vec2CTCTokenizer",
    clean_up_tokenization_spaces: false,
  };
}
