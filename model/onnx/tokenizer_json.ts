import type { CtcTokenizer } from "../decode/ctc_tokenizer.ts";

/**
 * The `tokenizer.json` of a CTC vocabulary, as transformers.js reads it. Tokens are written as they appear in texts: in lower case
 * with `do_lower_case`, phonemes with a space after each.
 *
 * @param tokenizer The tokenizer.
 * @returns The content, to be written as JSON.
 */
export function tokenizerJson(tokenizer: CtcTokenizer): Record<string, unknown> {
  const { tokens, padId, delimiterId, phonemes } = tokenizer;
  const delimiter = phonemes || delimiterId === null ? null : tokens[delimiterId]!;
  const known = tokens.flatMap((token, id) => {
    if (token === null) return [];
    const text = tokenizer.textOf(id);
    const special = text === "" && token !== delimiter;
    return [{ id, content: text === "" ? token : phonemes ? `${text} ` : text, special }];
  });
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    // The pipeline drops special tokens before it collapses repeats. If the blank were one, HELLO would become HELO.
    added_tokens: known.filter(({ special }) => special).map(({ id, content }) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: id !== padId,
    })),
    normalizer: delimiter === null ? null : { type: "Replace", pattern: { String: " " }, content: delimiter },
    pre_tokenizer: { type: "Split", pattern: { Regex: "" }, behavior: "Isolated", invert: false },
    post_processor: null,
    decoder: { type: "Sequence", decoders: decoders(tokens[padId]!, delimiter) },
    model: { vocab: Object.fromEntries(known.map(({ id, content }) => [content, id])) },
  };
}

/** Collapses repeats and drops blanks; runs of word delimiters become one space, without the clean-up of English punctuation. */
function decoders(blank: string, delimiter: string | null): Record<string, unknown>[] {
  const replace = (pattern: Record<string, string>) => ({ type: "Replace", pattern, content: " " });
  return [
    { type: "CTC", pad_token: blank, word_delimiter_token: delimiter ?? "|", cleanup: false },
    ...delimiter === null ? [] : [replace({ String: delimiter })],
    { type: "Fuse" },
    replace({ Regex: " +" }),
    { type: "Strip", content: " ", start: 1, stop: 1 },
  ];
}
