/** Model family: `model_type` in `config.json`. */
export type ModelType = "wav2vec2" | "hubert" | "wavlm" | "unispeech" | "unispeech-sat" | "data2vec-audio";

/** The families by `model_type`: the name of their classes in `transformers`, and the prefix of their tensors. */
export const FAMILIES: Readonly<Record<ModelType, { readonly className: string; readonly prefix: string }>> =
  {
    "wav2vec2": { className: "Wav2Vec2", prefix: "wav2vec2." },
    "hubert": { className: "Hubert", prefix: "hubert." },
    "wavlm": { className: "WavLM", prefix: "wavlm." },
    "unispeech": { className: "UniSpeech", prefix: "unispeech." },
    "unispeech-sat": { className: "UniSpeechSat", prefix: "unispeech_sat." },
    "data2vec-audio": { className: "Data2VecAudio", prefix: "data2vec_audio." },
  };

/** All families. */
export const MODEL_TYPES = Object.keys(FAMILIES) as readonly ModelType[];

const PREFIXES = Object.values(FAMILIES).map(({ prefix }) => prefix);

/** The prefix of a tensor name, or "": `wav2vec2.encoder.x` and `encoder.x` are the same tensor. */
export function prefixOf(name: string): string {
  return PREFIXES.find((prefix) => name.startsWith(prefix)) ?? "";
}

/**
 * The name of a tensor without the prefix of its family.
 *
 * @example
 * ```ts
 * import { withoutPrefix } from "./families.ts";
 *
 * withoutPrefix("hubert.encoder.layer_norm.bias"); // "encoder.layer_norm.bias"
 * ```
 */
export function withoutPrefix(name: string): string {
  return name.slice(prefixOf(name).length);
}
