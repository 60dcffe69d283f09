// Logits of audio of any length: long audio in overlapping chunks, short utterances in padded batches.
import type { Tensor } from "../../tensor/tensor.ts";
import { framesOf, type SpeechModel } from "../speech_model.ts";
import { RunningMoments, scaled, type Scaling } from "./running_moments.ts";

/** Samples between two frames of the model. */
const hopOf = (model: SpeechModel) => model.config.conv_stride.reduce((hop, stride) => hop * stride, 1);

/** Default chunk length in seconds. */
const CHUNK_SECONDS = 15;

/** How long audio is split into chunks; `chunk_length_s` and `stride_length_s` of `transformers`. */
export interface ChunkOptions {
  /** Longest input of the model in seconds, summed over a batch; default 15. */
  readonly chunkSeconds?: number;
  /** Overlap at each inner edge of a chunk, in seconds, whose frames are dropped; default 1. */
  readonly strideSeconds?: number;
  /**
   * What mean and variance are of, for a model that normalises its input: the whole utterance (default), or the utterance up
   * to the end of each chunk (`running`), as in a stream, where the rest is not known yet.
   */
  readonly normalization?: "utterance" | "running";
}

/** A chunk of an utterance, and the frames of it that are kept. */
export interface Chunk {
  /** First sample. */
  readonly from: number;
  /** One past the last sample. */
  readonly to: number;
  /** Frames to drop at the start. */
  readonly skip: number;
  /** Frames to keep after them. */
  readonly keep: number;
  /** Index of the first kept frame in the utterance. */
  readonly first: number;
}

/** Chunks of a model, in samples and frames. */
export interface ChunkSizes {
  /** Samples between two frames. */
  readonly hop: number;
  /** Samples of a chunk. */
  readonly length: number;
  /** Frames that are dropped at each inner edge. */
  readonly stride: number;
}

/** Length and stride of chunks in samples and frames. */
export function chunkSizes(
  model: SpeechModel,
  { chunkSeconds = CHUNK_SECONDS, strideSeconds = 1 }: ChunkOptions = {},
): ChunkSizes {
  const hop = hopOf(model);
  return {
    hop,
    length: Math.round(chunkSeconds * 16_000 / hop) * hop,
    stride: Math.round(strideSeconds * 16_000 / hop),
  };
}

/** @throws {RangeError} If a chunk is no longer than its two strides. */
export function checkChunks(model: SpeechModel, options: ChunkOptions = {}): void {
  const { chunkSeconds = CHUNK_SECONDS, strideSeconds = 1 } = options;
  const { length, stride } = chunkSizes(model, options);
  if (framesOf(model.config, length) > 2 * stride) return;
  throw new RangeError(
    `Cannot split audio as a chunk must be longer than two strides: ${chunkSeconds} s, stride ${strideSeconds} s`,
  );
}

/**
 * A chunk of an utterance.
 *
 * @param done Index of its first kept frame.
 * @param samples Length of the utterance, in samples at 16 kHz.
 */
export function chunkAt(
  model: SpeechModel,
  done: number,
  samples: number,
  { hop, length, stride }: ChunkSizes,
): Chunk {
  const total = framesOf(model.config, samples);
  const start = Math.max(0, done - stride);
  const from = start * hop;
  const to = Math.min(samples, from + length);
  const frames = framesOf(model.config, to - from);
  const skip = done - start;
  const isLast = start + frames >= total;
  return { from, to, skip, keep: isLast ? total - done : frames - skip - stride, first: done };
}

/**
 * Splits an utterance into overlapping chunks. The kept frames of all chunks, concatenated, are the frames of the utterance.
 *
 * @param model Model that the frames are for.
 * @param samples Length of the utterance, in samples at 16 kHz.
 * @throws {RangeError} If a chunk is no longer than its two strides.
 */
export function chunksOf(model: SpeechModel, samples: number, options: ChunkOptions = {}): Chunk[] {
  const sizes = chunkSizes(model, options);
  const total = framesOf(model.config, samples);
  if (samples <= sizes.length) return [{ from: 0, to: samples, skip: 0, keep: total, first: 0 }];
  checkChunks(model, options);
  const chunks: Chunk[] = [];
  for (let done = 0; done < total;) {
    const chunk = chunkAt(model, done, samples, sizes);
    chunks.push(chunk);
    done += chunk.keep;
  }
  return chunks;
}

/** Logits of every frame of an utterance. */
export interface FrameLogits {
  /** [T, V], row-major. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Number of frames T. */
  readonly frames: number;
  /** Vocabulary size V. */
  readonly labels: number;
}

/** A chunk with the index of its utterance. */
interface IndexedChunk extends Chunk {
  readonly utterance: number;
  /** Normalises its samples; none where the utterance is normalised. */
  readonly scaling?: Scaling | undefined;
}

const lengthOf = ({ from, to }: Chunk) => to - from;

/** Batches chunks of similar length. A padded batch is no longer than a chunk in all; a longer chunk is a batch by itself. */
function batchesOf(
  chunks: readonly IndexedChunk[],
  { chunkSeconds = CHUNK_SECONDS }: ChunkOptions,
): IndexedChunk[][] {
  const batches: IndexedChunk[][] = [];
  for (const chunk of chunks.toSorted((a, b) => lengthOf(a) - lengthOf(b))) {
    const last = batches.at(-1);
    if (last && (last.length + 1) * lengthOf(chunk) <= chunkSeconds * 16_000) last.push(chunk);
    else batches.push([chunk]);
  }
  return batches;
}

/** Runs the model on chunks in padded batches, independently of padding, and passes on the logits of each chunk. */
async function runChunks(
  model: SpeechModel,
  utterances: readonly Float32Array[],
  chunks: readonly IndexedChunk[],
  options: LogitsOptions,
  receive: (chunk: IndexedChunk, logits: Float32Array) => void,
): Promise<void> {
  const { gpu } = model;
  for (const batch of batchesOf(chunks, options)) {
    const lengths = batch.map(lengthOf);
    const width = Math.max(...lengths);
    const values = new Float32Array(batch.length * width);
    batch.forEach(({ utterance, from, to, scaling }, i) => {
      const samples = utterances[utterance]!.subarray(from, to);
      values.set(scaling ? scaled(samples, scaling) : samples, i * width);
    });
    const isPadded = lengths.some((length) => length < width);
    using logits = gpu.scope((): Tensor => {
      const samples = gpu.tensor(values, [batch.length, width]);
      const input = { samples, lengths: options.masked || isPadded ? lengths : null };
      return model.forward(input, { paddingInvariant: isPadded }).logits!;
    });
    const rows = await logits.read() as Float32Array;
    const size = rows.length / batch.length;
    batch.forEach((chunk, i) => receive(chunk, rows.subarray(i * size, (i + 1) * size)));
  }
}

/** Options of {@linkcode frameLogits} and {@linkcode utteranceLogits}. */
export interface LogitsOptions extends ChunkOptions {
  /** Whether the model was trained with an attention mask. */
  readonly masked: boolean;
}

/**
 * Frame logits of utterances of any length under a CTC model. Long ones run in chunks, so memory stays bounded; short ones run
 * in batches. The result of an utterance does not depend on the others.
 *
 * @param model Model with a CTC head.
 * @param utterances Audio of each at 16 kHz, normalised unless the chunks are.
 * @throws {RangeError} If an utterance is too short for one frame, or a chunk is no longer than its two strides.
 */
export async function frameLogits(
  model: SpeechModel,
  utterances: readonly Float32Array[],
  options: LogitsOptions,
): Promise<FrameLogits[]> {
  const labels = model.config.vocab_size;
  const all = utterances.map((samples): FrameLogits => {
    const frames = framesOf(model.config, samples.length);
    return { logits: new Float32Array(frames * labels), frames, labels };
  });
  const chunks = utterances.flatMap((samples, utterance) => {
    const moments = new RunningMoments();
    let known = 0;
    return chunksOf(model, samples.length, options).map((chunk): IndexedChunk => {
      if (options.normalization !== "running") return { ...chunk, utterance };
      moments.add(samples.subarray(known, chunk.to));
      known = chunk.to;
      return { ...chunk, utterance, scaling: moments.scaling() };
    });
  });
  await runChunks(model, utterances, chunks, options, ({ utterance, first, skip, keep }, logits) => {
    all[utterance]!.logits.set(logits.subarray(skip * labels, (skip + keep) * labels), first * labels);
  });
  return all;
}

/**
 * Logits of utterances under a classification model, in batches. The result of an utterance does not depend on the others.
 *
 * @param model Model with a classification head.
 * @param utterances Normalised audio of each, at 16 kHz.
 * @returns For each utterance, its logits by label.
 * @throws {RangeError} If an utterance is too short for one frame.
 */
export async function utteranceLogits(
  model: SpeechModel,
  utterances: readonly Float32Array[],
  options: LogitsOptions,
): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  const whole = utterances.map(({ length }, utterance) => {
    return { utterance, from: 0, to: length, skip: 0, keep: 1, first: 0 };
  });
  await runChunks(model, utterances, whole, options, ({ utterance }, logits) => {
    all[utterance] = logits;
  });
  return all;
}
