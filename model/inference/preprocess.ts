import { isObject, JsonFields } from "../checkpoint/json_fields.ts";

/** Preprocessing of audio, named as in `preprocessor_config.json`. */
export interface PreprocessorConfig {
  /** Whether each utterance is scaled to mean 0 and variance 1. */
  readonly do_normalize: boolean;
  /** Whether the model masks padding; models with a group norm were trained without a mask. */
  readonly return_attention_mask: boolean;
  /** Sampling rate in Hz. */
  readonly sampling_rate: number;
  /** Padding value after the end of shorter utterances. */
  readonly padding_value: number;
}

/** Utterances as the input of a model. */
export interface AudioBatch {
  /** [B, S], row-major. */
  readonly inputValues: Float32Array<ArrayBuffer>;
  /** S, the length of the longest utterance. */
  readonly samples: number;
  /** Length of each of the B utterances, in samples. */
  readonly lengths: number[];
}

/** Defaults of `Wav2Vec2FeatureExtractor`, for missing fields and for models without the file. */
export const DEFAULT_PREPROCESSOR: PreprocessorConfig = {
  do_normalize: true,
  return_attention_mask: false,
  sampling_rate: 16_000,
  padding_value: 0,
};

// Added to the variance, as in `Wav2Vec2FeatureExtractor`.
export const EPSILON = 1e-7;

/**
 * Parses `preprocessor_config.json`. Missing fields take the defaults of `Wav2Vec2FeatureExtractor`.
 *
 * @param text Content of the file.
 * @param name File name for error messages.
 * @throws {SyntaxError} If it is not a JSON object.
 * @throws {TypeError | RangeError} If a field has the wrong type or value, or `feature_size` is not 1.
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
  // Models on spectrograms have the number of bands here.
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
 * The settings of the feature extractor in `processor_config.json`, which transformers 5 writes instead of
 * `preprocessor_config.json`; where a model has both, these count, as in transformers.
 *
 * @param text Content of `processor_config.json`.
 * @param name File name for error messages.
 * @returns Content for {@linkcode parsePreprocessorConfig}, or undefined if the file has none, as before version 5.
 * @throws {SyntaxError | TypeError} If it is not a JSON object, or `feature_extractor` is not one.
 *
 * @example
 * ```ts
 * import { featureExtractorIn } from "./preprocess.ts";
 *
 * const text = '{ "feature_extractor": { "do_normalize": false } }';
 * console.log(featureExtractorIn(text, "processor_config.json")); // {"do_normalize":false}
 * ```
 */
export function featureExtractorIn(text: string, name: string): string | undefined {
  const fields = new JsonFields(text, name);
  const key = "feature_extractor";
  if (!fields.has(key)) return undefined;
  return isObject(fields.raw[key])
    ? JSON.stringify(fields.raw[key], null, 2)
    : fields.fail(key, "must be an object");
}

/**
 * Reads the preprocessing settings of a model; the defaults if its files have none.
 *
 * @param text Reads a file of the model as text; undefined if it is missing.
 * @param name Path or name of the model for error messages.
 * @throws {SyntaxError | TypeError | RangeError} If a file is invalid; one line.
 */
export async function readPreprocessor(
  text: (file: string) => Promise<string | undefined>,
  name: string,
): Promise<PreprocessorConfig> {
  const processor = await text("processor_config.json");
  const inner = processor && featureExtractorIn(processor, `${name}/processor_config.json`);
  if (inner) return parsePreprocessorConfig(inner, `${name}/processor_config.json`);
  const settings = await text("preprocessor_config.json");
  if (settings === undefined) return DEFAULT_PREPROCESSOR;
  return parsePreprocessorConfig(settings, `${name}/preprocessor_config.json`);
}

/**
 * Pads utterances to a batch. If the configuration asks for it, each utterance x becomes (x − mean) / √(var + 1e-7), with the
 * population variance over its valid samples (`Wav2Vec2FeatureExtractor`).
 *
 * @param utterances B utterances of any lengths, at the sampling rate of the configuration.
 * @returns Input of shape [B, S], and the lengths.
 * @throws {RangeError} If there are no utterances, or one has no samples.
 *
 * @example
 * ```ts
 * import { DEFAULT_PREPROCESSOR, prepareBatch } from "./preprocess.ts";
 *
 * const utterances = [Float32Array.of(1, -1, 1, -1), Float32Array.of(3, 5)];
 * const batch = prepareBatch(utterances, DEFAULT_PREPROCESSOR);
 * console.log(batch.inputValues); // about [1, -1, 1, -1, -1, 1, 0, 0]
 * ```
 */
export function prepareBatch(utterances: readonly Float32Array[], config: PreprocessorConfig): AudioBatch {
  const lengths = utterances.map(({ length }) => length);
  if (lengths.length === 0 || lengths.includes(0)) {
    const found = lengths.length === 0 ? "there are none" : `utterance ${lengths.indexOf(0)} is empty`;
    throw new RangeError(`Cannot prepare a batch as each utterance must have samples: ${found}`);
  }
  const samples = lengths.reduce((most, length) => Math.max(most, length));
  const inputValues = new Float32Array(utterances.length * samples);
  utterances.forEach((utterance, b) => {
    const row = inputValues.subarray(b * samples, (b + 1) * samples);
    row.set(utterance);
    if (config.do_normalize) normalize(row.subarray(0, utterance.length));
    if (config.padding_value !== 0) row.fill(config.padding_value, utterance.length);
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
