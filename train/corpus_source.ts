import type { Batches, DecodedUtterance } from "../data/batching/batches.ts";
import { maskSpans } from "../data/batching/spec_augment.ts";
import { letterCaseOf, normalizeText } from "../data/corpus/vocabulary.ts";
import type { ModelConfig } from "../model/config.ts";
import { prepareBatch, type PreprocessorConfig } from "../model/inference/preprocess.ts";
import { framesOf } from "../model/speech_model.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import { type BatchSource, type MicroBatch, START } from "./micro_batch.ts";

/** What a clip is to be recognised as. */
export interface Target {
  /** Tokens, or the class alone. */
  readonly labels: readonly number[];
  /** Text to compare with, or the name of the class. */
  readonly reference: string;
}

/** What a clip is to be recognised as, by what the corpus says of it. */
export type TargetOf = (clip: Pick<DecodedUtterance, "ids" | "text" | "intent">) => Target;

/** How clips become the model's input. */
export interface CorpusSourceOptions {
  /** Architecture, which says what SpecAugment masks. */
  readonly config: ModelConfig;
  /** Normalisation and mask. */
  readonly preprocessor: PreprocessorConfig;
  /** What to recognise. */
  readonly targetOf: TargetOf;
  /** Seed of the masks. */
  readonly seed: number;
}

/**
 * Targets of speech recognition: the transcript, normalised, in the case of the vocabulary. Characters that are not in
 * it become the unknown token.
 *
 * @param tokenizer Vocabulary.
 */
export function transcriptTargets(tokenizer: CtcTokenizer): TargetOf {
  const letterCase = letterCaseOf(tokenizer);
  return ({ ids, text }) => {
    if (text === undefined) {
      throw new TypeError(`Cannot train as every clip must have a transcript: ${ids.join(", ")} has none`);
    }
    const reference = normalizeText(text, letterCase);
    return { labels: tokenizer.encode(reference), reference };
  };
}

/**
 * Targets of spoken-language understanding.
 *
 * @param classes Names of the model's classes.
 */
export function intentTargets(classes: readonly string[]): TargetOf {
  const numbers = new Map(classes.map((name, i) => [name, i]));
  return ({ ids, intent = "" }) => {
    const label = numbers.get(intent);
    if (label !== undefined) return { labels: [label], reference: intent };
    throw new RangeError(
      `Cannot train as the class of every clip must be the model's: that of ${ids.join(", ")} is ${
        intent || "none"
      }`,
    );
  };
}

/** Batches to learn from, epoch after epoch, with SpecAugment's masks as the config asks for them. */
export function corpusSource(batches: Batches, options: CorpusSourceOptions): BatchSource {
  return {
    keptBytes: (seconds) => batches.keptBytes(seconds),
    async *from(position) {
      for await (const { clips, position: { epoch, batch }, next } of batches.from(position)) {
        const prepared = prepare(clips, options);
        yield { ...prepared, masked: masks(prepared, options, epoch, batch), next };
      }
    },
  };
}

/** The batches of one pass, without masks, to evaluate on. */
export async function* corpusPass(
  batches: Batches,
  options: CorpusSourceOptions,
): AsyncGenerator<MicroBatch> {
  for await (const { clips } of batches.from(START, 1)) yield prepare(clips, options);
}

function prepare(
  clips: readonly DecodedUtterance[],
  { preprocessor, targetOf }: CorpusSourceOptions,
): MicroBatch {
  const audio = prepareBatch(clips.map(({ samples }) => samples), preprocessor);
  const targets = clips.map(targetOf);
  return {
    ...audio,
    attentionMask: preprocessor.return_attention_mask,
    targets: targets.map(({ labels }) => labels),
    references: targets.map(({ reference }) => reference),
    keys: clips.map(({ key }) => key),
    masked: null,
    seconds: audio.lengths.reduce((sum, length) => sum + length, 0) / preprocessor.sampling_rate,
  };
}

/** Masked frames by the place of the batch in the sequence, so that a resumed run draws the same. */
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
