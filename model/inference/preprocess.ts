import { JsonFields } from "../checkpoint/json_fields.ts";

/** How clips become the input of a model, by the names of `preprocessor_config.json`. */
export interface PreprocessorConfig {
  /** Whether each clip is scaled to mean 0 and variance 1. */
  readonly do_normalize: boolean;
  /** Whether the model is told which samples are padding; models with a group norm were trained without. */
  readonly return_attention_mask: boolean;
  /** Hz. */
  readonly sampling_rate: number;
  /** Value after the end of the shorter clips. */
  readonly padding_value: number;
}

/** Clips as the input of a model. */
export interface AudioBatch {
  /** [B, S], row-major. */
  readonly inputValues: Float32Array<ArrayBuffer>;
  /** S, the length of the longest clip. */
  readonly samples: number;
  /** Length of each of the B clips, in samples. */
  readonly lengths: number[];
}

/** What `Wav2Vec2FeatureExtractor` takes where the file does not say, and models without the file are given. */
export const DEFAULT_PREPROCESSOR: PreprocessorConfig = {
  do_normalize: true,
  return_attention_mask: false,
  sampling_rate: 16_000,
  padding_value: 0,
};

// Inside the root, as in the released models' feature extractor.
const EPSILON = 1e-7;

/**
 * Reads `preprocessor_config.json`. What it leaves out is as in {@linkcode DEFAULT_PREPROCESSOR}.
 *
 * @param text Content of the file.
 * @param name What to call it in errors, such as its path.
 * @throws {SyntaxError} If it is no JSON object.
 * @throws {TypeError | RangeError} If a field has the wrong type or value, or the features are not single samples.
 *
 * @example
 * ```ts
 * import { parsePreprocessorConfig } from "./preprocess.ts";
 *
 * const config = parsePreprocessorConfig('{ "return_attention_mask": true }', "preprocessor_config.json");
 * console.log(config.sampling_rate, config.return_attention_mask); // 16000 true
 * ```
 */
export function parsePreprocessorConfig(text: string, name: string): PreprocessorConfig {
  const fields = new JsonFields(text, name);
  const most = 1e30;
  // Spectrogram models put their number of bands here.
  fields.whole("feature_size", 1, { most: 1 });
  return {
    do_normalize: fields.flag("do_normalize", DEFAULT_PREPROCESSOR.do_normalize),
    return_attention_mask: fields.flag("return_attention_mask", DEFAULT_PREPROCESSOR.return_attention_mask),
    sampling_rate: fields.whole("sampling_rate", DEFAULT_PREPROCESSOR.sampling_rate, {
      least: 1000,
      most: 192_000,
    }),
    padding_value: fields.number("padding_value", DEFAULT_PREPROCESSOR.padding_value, { least: -most, most }),
  };
}

/**
 * Joins clips into the input of a model: each clip x becomes (x − mean) / √(var + 1e-7) if the configuration says so,
 * with the population variance over its own samples, and is padded at the end (`Wav2Vec2FeatureExtractor`).
 *
 * @param clips B clips of any lengths, at the sampling rate of the configuration.
 * @returns Input of shape [B, S], and the lengths.
 * @throws {RangeError} If there is no clip, or one has no samples.
 *
 * @example
 * ```ts
 * import { DEFAULT_PREPROCESSOR, prepareBatch } from "./preprocess.ts";
 *
 * const clips = [Float32Array.of(1, -1, 1, -1), Float32Array.of(3, 5)];
 * const batch = prepareBatch(clips, DEFAULT_PREPROCESSOR);
 * console.log(batch.inputValues); // about [1, -1, 1, -1, -1, 1, 0, 0]
 * ```
 */
export function prepareBatch(clips: readonly Float32Array[], config: PreprocessorConfig): AudioBatch {
  const lengths = clips.map((clip) => clip.length);
  if (lengths.length === 0 || lengths.includes(0)) {
    const found = lengths.length === 0 ? "there is no clip" : `clip ${lengths.indexOf(0)} is empty`;
    throw new RangeError(`Cannot prepare a batch as each clip must have samples: ${found}`);
  }
  const samples = lengths.reduce((most, length) => Math.max(most, length));
  const inputValues = new Float32Array(clips.length * samples);
  clips.forEach((clip, b) => {
    const row = inputValues.subarray(b * samples, (b + 1) * samples);
    row.set(clip);
    if (config.do_normalize) normalize(row.subarray(0, clip.length));
    if (config.padding_value !== 0) row.fill(config.padding_value, clip.length);
  });
  return { inputValues, samples, lengths };
}

function normalize(samples: Float32Array): void {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  const factor = 1 / Math.sqrt(squares / samples.length + EPSILON);
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i]! - mean) * factor;
}
