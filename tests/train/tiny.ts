// A small model and utterances that it can learn: every token is a tone.
import type { Checkpoint } from "../../model/checkpoint/read.ts";
import { type ModelConfig, parseConfig } from "../../model/config.ts";
import { randomCheckpoint } from "../../model/random.ts";
import { framesOf } from "../../model/speech_model.ts";
import type { MicroBatch } from "../../train/micro_batch.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";
import { randomNd } from "../oracle/nd.ts";

const noDropout = {
  hidden_dropout: 0,
  attention_dropout: 0,
  activation_dropout: 0,
  feat_proj_dropout: 0,
  final_dropout: 0,
  layerdrop: 0,
};

/** A random model; with dropout of 0.1 if `dropout` is true. */
export function tinyCheckpoint(
  name:
    | "wav2vec2 large"
    | "wav2vec2 base"
    | "wav2vec2 intents"
    | "wav2vec2 compact"
    | "wav2vec2 compact large",
  { dropout = false, seed = 3 }: { dropout?: boolean; seed?: number } = {},
): Checkpoint {
  const { config } = TINY_MODELS[name];
  const fields = { ...config, ...(dropout ? { mask_time_prob: 0.1 } : noDropout), initializer_range: 0.1 };
  return randomCheckpoint(parseConfig(JSON.stringify(fields)), seed);
}

/** Dropout and masks of a config. */
export function regularizationOf(config: ModelConfig): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).filter(([name]) => /dropout|layerdrop|^apply_spec_augment$|^mask_/.test(name)),
  );
}

/** Tokens of four utterances. */
export const TEXTS: readonly (readonly number[])[] = [[3, 4, 5], [6, 3], [8, 8, 4, 7], [5, 1, 6]];

/** Utterances in which each token is a tone of 0.1 s, with a little noise. */
export function tones(texts: readonly (readonly number[])[]): Float32Array<ArrayBuffer>[] {
  return texts.map((text) => {
    const samples = new Float32Array(400 + text.length * 1600);
    const noise = randomNd([samples.length], text.reduce((sum, token) => 9 * sum + token, 0)).data;
    samples.forEach((_, i) => {
      const token = text[Math.floor((i - 200) / 1600)];
      const within = (i - 200) % 1600 / 1600;
      const loud = token === undefined ? 0 : Math.sin(Math.PI * within);
      samples[i] = loud * Math.sin(i * 0.09 * (token ?? 0)) + 0.02 * noise[i]!;
    });
    return samples;
  });
}

/** A micro-batch of tones; with a classification head, the first token is the class. */
export function toneBatch(
  { config, head }: Checkpoint,
  texts: readonly (readonly number[])[],
  { attentionMask = true, masked = false }: { attentionMask?: boolean; masked?: boolean } = {},
): MicroBatch {
  const utterances = tones(texts);
  const lengths = utterances.map((samples) => samples.length);
  const samples = Math.max(...lengths);
  const inputValues = new Float32Array(utterances.length * samples);
  utterances.forEach((audio, i) => inputValues.set(audio, i * samples));
  const frames = framesOf(config, samples);
  return {
    inputValues,
    samples,
    lengths,
    attentionMask,
    targets: head === "classify" ? texts.map(([first]) => [first! % config.id2label.length]) : texts,
    references: texts.map((text) => text.join(" ")),
    masked: masked
      ? Int32Array.from({ length: utterances.length * frames }, (_, i) => Number(i % 7 === 3))
      : null,
    seconds: lengths.reduce((sum, n) => sum + n, 0) / 16_000,
  };
}
