import type { Utterance } from "./utterance.ts";
import { normalizeFor } from "./vocabulary.ts";
import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";

/**
 * A note on characters of the transcripts that are not in the vocabulary; no note where there are none.
 *
 * @param tokenizer vocabulary of the model
 * @param utterances utterances with their transcripts
 */
export function outOfVocabulary(tokenizer: CtcTokenizer, utterances: readonly Utterance[]): string[] {
  const found = new Set(
    utterances.flatMap(({ text = "" }) => tokenizer.missing(normalizeFor(text, tokenizer))),
  );
  if (found.size === 0) return [];
  const few = [...found].slice(0, 8).map((character) => JSON.stringify(character)).join(", ");
  return [
    `${found.size} characters of the transcripts are out of vocabulary and become <unk>: ${few}`,
  ];
}
