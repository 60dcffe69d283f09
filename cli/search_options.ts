import { type ArpaState, loadArpa } from "../model/decode/arpa.ts";
import { canSpellAny } from "../model/decode/writable_words.ts";
import type { LoadedModel, TranscribeOptions } from "../model/inference/loaded_model.ts";
import { group, type Values } from "./options.ts";
import { onFiles } from "./files.ts";
import { note } from "./stderr.ts";

/** Decoding options of every command that transcribes. */
export const searchOptions = group("Decoding", {
  lm: {
    type: "path",
    value: "FILE",
    description: "n-gram language model in ARPA format",
  },
  beam: {
    type: "integer",
    description: "beam width; 1 is greedy decoding",
    computed: { text: "1, or 100 with --lm", of: ({ lm }) => lm === undefined ? 1 : 100 },
    min: 1,
    max: 1000,
  },
  "lm-weight": {
    type: "number",
    description: "weight of the language model",
    default: 0.5,
    min: 0,
    max: 1000,
  },
  "word-bonus": {
    type: "number",
    description: "bonus for each word, with a language model",
    default: 1,
    min: -1000,
    max: 1000,
  },
  "chunk-length": {
    type: "number",
    value: "SECONDS",
    description: "length of the overlapping chunks that long audio is split into",
    default: 15,
    min: 4,
    max: 120,
  },
});

/** The values of {@linkcode searchOptions} as options of the decoder. @throws {UserError} the language model is wrong */
export async function searchOf(values: Values<typeof searchOptions>): Promise<TranscribeOptions<ArpaState>> {
  const { beam, lm, "lm-weight": alpha, "word-bonus": beta, "chunk-length": chunkSeconds } = values;
  if (lm !== undefined) {
    const languageModel = await onFiles(() => loadArpa(lm));
    return { chunkSeconds, beam: { width: beam, languageModel, alpha, beta } };
  }
  return beam > 1 ? { chunkSeconds, beam: { width: beam } } : { chunkSeconds };
}

/** Prints a note if the vocabulary of the model cannot spell any word of the language model. */
export function noteOnWords({ beam }: TranscribeOptions<ArpaState>, { tokenizer }: LoadedModel): void {
  const words = beam?.languageModel?.words?.();
  if (!tokenizer || !words || canSpellAny(words, tokenizer)) return;
  note("no word of the language model can be written with the vocabulary of the model: it has no effect");
}
