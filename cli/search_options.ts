import { type ArpaState, loadArpa } from "../model/decode/arpa.ts";
import type { TranscribeOptions } from "../model/inference/load_model.ts";
import type { Values } from "./command.ts";
import { onFiles } from "./files.ts";

/** The options of how texts are found, of every command that transcribes. */
export const searchOptions = {
  beam: {
    type: "integer",
    description: "texts that the search keeps at a time; 1 takes the best letter of every frame",
    default: 1,
    min: 1,
    max: 1000,
  },
  lm: {
    type: "path",
    description: "n-gram language model in ARPA format for the search, whose beam is then 100 unless given",
  },
  "lm-weight": { type: "number", description: "weight of the language model", default: 0.5, min: 0 },
  "word-bonus": { type: "number", description: "bonus of each word with a language model", default: 1 },
  window: {
    type: "number",
    description: "seconds of audio that the model sees at a time",
    default: 15,
    min: 4,
    max: 120,
  },
} as const;

/** Reads the values of {@linkcode searchOptions}. @throws {UserError} The language model is wrong. */
export async function searchOf(values: Values<typeof searchOptions>): Promise<TranscribeOptions<ArpaState>> {
  const { beam, lm, "lm-weight": alpha, "word-bonus": beta, window } = values;
  const windows = { chunkSeconds: window };
  if (lm !== undefined) {
    const languageModel = await onFiles(() => loadArpa(lm));
    return { ...windows, beam: { width: beam === 1 ? 100 : beam, languageModel, alpha, beta } };
  }
  return beam > 1 ? { ...windows, beam: { width: beam } } : windows;
}
