import type { Batches, DecodedUtterance } from "../data/batching/batches.ts";
import { maskSpans } from "../data/batching/spec_augment.ts";
import { normalizeFor } from "../data/corpus/vocabulary.ts";
import type { ModelConfig } from "../model/config.ts";
import { prepareBatch, type PreprocessorConfig } from "../model/inference/preprocess.ts";
import { framesOf } from "../model/speech_model.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import { type BatchSource, type MicroBatch, placeholder, START } from "./micro_batch.ts";

/** Training target of an utterance. */
export interface Target {
  /** Tokens, or one class index. */
  readonly labels: readonly number[];
  /** Reference text, or name of the class. */
  readonly reference: string;
}

/** Target of an utterance of the corpus. */
export type TargetOf = (utterance: Pick<DecodedUtterance, "ids" | "text" | "intent">) => Target;

/** Options of {@linkcode corpusSource}. */
export interface CorpusSourceOptions {
  /** Architecture, with the parameters of SpecAugment. */
  readonly config: ModelConfig;
  /** Normalisation of the audio, and whether the model takes an attention mask. */
  readonly preprocessor: PreprocessorConfig;
  /** Targets. */
  readonly targetOf: TargetOf;
  /** Seed of SpecAugment's masks. */
  readonly seed: number;
}

/**
 * Targets of speech recognition: the transcript, normalised for the vocabulary. Out-of-vocabulary
 * characters become the unknown token.
 *
 * @param tokenizer Vocabulary.
 * @throws {TypeError} If an utterance has no transcript.
 */
export function transcriptTargets(tokenizer: CtcTokenizer): TargetOf {
  return ({ ids, text }) => {
    if (text === undefined) {
      throw new TypeError(
        `Cannot train as every utterance must have a transcript: ${ids.join(", ")} has none`,
      );
    }
    const reference = normalizeFor(text, tokenizer);
    return { labels: tokenizer.encode(reference), reference };
  };
}

/**
 * Targets of spoken-language understanding.
 *
 * @param classes Names of the model's classes.
 * @throws {RangeError} If an utterance has another class, or none.
 */
export function intentTargets(classes: readonly string[]): TargetOf {
  const labels = new Map(classes.map((name, i) => [name, i]));
  return ({ ids, intent = "" }) => {
    const label = labels.get(intent);
    if (label !== undefined) return { labels: [label], reference: intent };
    throw new RangeError(
      `Cannot train as every utterance must have a class of the model: that of ${ids.join(", ")} is ${
        intent || "none"
      }`,
    );
  };
}

/** Training batches, epoch after epoch, with SpecAugment's masks if the config has them. */
export function corpusSource(batches: Batches, options: CorpusSourceOptions): BatchSource {
  return {
    keptBytes: (seconds) => batches.keptBytes(seconds),
    async *from(position, isOwn) {
      for await (const read of batches.from(position, Infinity, isOwn)) {
        const { utterances, count, seconds, position: { epoch, batch }, next } = read;
        if (utterances.length === 0) {
          yield { ...placeholder(count, seconds), next };
          continue;
        }
        const prepared = prepare(utterances, options);
        yield { ...prepared, masked: masks(prepared, options, epoch, batch), next };
      }
    },
  };
}

/** Batches of one epoch without masks, for evaluation. */
export async function* corpusPass(
  batches: Batches,
  options: CorpusSourceOptions,
): AsyncGenerator<MicroBatch> {
  for await (const { utterances } of batches.from(START, 1)) yield prepare(utterances, options);
}

function prepare(
  utterances: readonly DecodedUtterance[],
  { preprocessor, targetOf }: CorpusSourceOptions,
): MicroBatch {
  const audio = prepareBatch(utterances.map(({ samples }) => samples), preprocessor);
  const targets = utterances.map(targetOf);
  return {
    ...audio,
    attentionMask: preprocessor.return_attention_mask,
    targets: targets.map(({ labels }) => labels),
    references: targets.map(({ reference }) => reference),
    keys: utterances.map(({ key }) => key),
    masked: null,
    seconds: audio.lengths.reduce((sum, length) => sum + length, 0) / preprocessor.sampling_rate,
  };
}

/** SpecAugment's masks, drawn by epoch and batch, so that a resumed run has the same. [B, T] of 0 and 1, or null. */
function masks(
  { lengths, samples }: MicroBatch,
  { config, seed }: CorpusSourceOptions,
  epoch: number,
  batch: number,
): Int32Array<ArrayBuffer> | null {
  const { apply_spec_augment, mask_time_prob, mask_time_length, mask_time_min_masks } = config;
  if (!apply_spec_augment || mask_time_prob === 0) return null;
  const spans = { prob: mask_time_prob, length: mask_time_length, minMasks: mask_time_min_masks };
  const frames = lengths.map((length) => framesOf(config, length));
  return maskSpans(frames, framesOf(config, samples), spans, {
    seed,
    purpose: `mask of batch ${batch}`,
    step: epoch,
  });
}
