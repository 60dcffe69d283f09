import type { Tensor } from "../../tensor/tensor.ts";
import { framesOf, type SpeechModel } from "../speech_model.ts";

/** Samples between two frames of the published models. */
const hopOf = (model: SpeechModel) => model.config.conv_stride.reduce((hop, stride) => hop * stride, 1);

/** Seconds of a window. */
const WINDOW = 15;

/** How long audio is cut. */
export interface ChunkOptions {
  /** Longest stretch that the model sees at a time, in seconds, all clips of a batch together; 15 unless given. */
  readonly windowSeconds?: number;
  /** Seconds at each inner edge of a window whose frames are thrown away; 1 unless given. */
  readonly marginSeconds?: number;
}

/** A stretch of a clip and the frames of it that count. */
export interface Window {
  /** First sample. */
  readonly from: number;
  /** One past the last sample. */
  readonly to: number;
  /** Frames to drop at the start. */
  readonly skip: number;
  /** Frames to keep after them. */
  readonly keep: number;
  /** Which frame of the clip the first of these is. */
  readonly first: number;
}

/**
 * Cuts a clip into overlapping windows whose kept frames, one after the other, are the frames of the whole clip.
 *
 * @param model Model whose frames they are.
 * @param samples Length of the clip, in samples at 16 kHz.
 * @throws {RangeError} If the margins leave nothing of a window.
 */
export function chunksOf(model: SpeechModel, samples: number, options: ChunkOptions = {}): Window[] {
  const { windowSeconds = WINDOW, marginSeconds = 1 } = options;
  const hop = hopOf(model);
  const window = Math.round(windowSeconds * 16_000 / hop) * hop;
  const margin = Math.round(marginSeconds * 16_000 / hop);
  const total = framesOf(model.config, samples);
  if (samples <= window) return [{ from: 0, to: samples, skip: 0, keep: total, first: 0 }];
  const each = framesOf(model.config, window);
  if (each <= 2 * margin) {
    throw new RangeError(
      `Cannot cut audio as a window must be longer than its margins: ${windowSeconds} s, twice ${marginSeconds} s`,
    );
  }
  const windows: Window[] = [];
  for (let done = 0; done < total;) {
    const start = Math.max(0, done - margin);
    const from = start * hop;
    const to = Math.min(samples, from + window);
    const frames = framesOf(model.config, to - from);
    const skip = done - start;
    const last = start + frames >= total;
    const keep = last ? total - done : frames - skip - margin;
    windows.push({ from, to, skip, keep, first: done });
    done += keep;
  }
  return windows;
}

/** What a model says of every frame of a clip. */
export interface FrameLogits {
  /** Frame after frame, V numbers each. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** T */
  readonly frames: number;
  /** V */
  readonly labels: number;
}

/** A window of one of several clips. */
interface Piece extends Window {
  readonly clip: number;
}

const lengthOf = ({ from, to }: Window) => to - from;

/** Pieces of like length in batches that, padding included, are no longer than a window; a longer piece has one of its own. */
function batchesOf(pieces: readonly Piece[], { windowSeconds = WINDOW }: ChunkOptions): Piece[][] {
  const batches: Piece[][] = [];
  for (const piece of pieces.toSorted((a, b) => lengthOf(a) - lengthOf(b))) {
    const last = batches.at(-1);
    if (last && (last.length + 1) * lengthOf(piece) <= windowSeconds * 16_000) last.push(piece);
    else batches.push([piece]);
  }
  return batches;
}

/** Runs pieces of clips, each heard as if it were alone, and hands over the logits of each. */
async function hear(
  model: SpeechModel,
  clips: readonly Float32Array[],
  pieces: readonly Piece[],
  options: LogitsOptions,
  receive: (piece: Piece, logits: Float32Array) => void,
): Promise<void> {
  const { gpu } = model;
  for (const batch of batchesOf(pieces, options)) {
    const lengths = batch.map(lengthOf);
    const width = Math.max(...lengths);
    const values = new Float32Array(batch.length * width);
    batch.forEach(({ clip, from, to }, i) => values.set(clips[clip]!.subarray(from, to), i * width));
    const alone = lengths.some((length) => length < width);
    using logits = gpu.scope((): Tensor => {
      const samples = gpu.tensor(values, [batch.length, width]);
      return model.forward({ samples, lengths: options.masked || alone ? lengths : null }, { alone }).logits!;
    });
    const found = await logits.read() as Float32Array;
    const size = found.length / batch.length;
    batch.forEach((piece, i) => receive(piece, found.subarray(i * size, (i + 1) * size)));
  }
}

/** How {@linkcode frameLogits} and {@linkcode utteranceLogits} hear clips. */
export interface LogitsOptions extends ChunkOptions {
  /** Whether the model was trained with an attention mask. */
  readonly masked: boolean;
}

/**
 * Logits of clips of any length under a CTC model, window by window, so that memory does not grow with them; short clips are
 * heard several at a time, each as if it were alone.
 *
 * @param model Model with a CTC head.
 * @param clips Normalised audio of each, at 16 kHz.
 * @throws {RangeError} If a clip is too short for one frame, or the margins leave nothing of a window.
 */
export async function frameLogits(
  model: SpeechModel,
  clips: readonly Float32Array[],
  options: LogitsOptions,
): Promise<FrameLogits[]> {
  const labels = model.config.vocab_size;
  const all = clips.map((clip): FrameLogits => {
    const frames = framesOf(model.config, clip.length);
    return { logits: new Float32Array(frames * labels), frames, labels };
  });
  const pieces = clips.flatMap((samples, clip) =>
    chunksOf(model, samples.length, options).map((window) => ({ ...window, clip }))
  );
  await hear(model, clips, pieces, options, ({ clip, first, skip, keep }, logits) => {
    all[clip]!.logits.set(logits.subarray(skip * labels, (skip + keep) * labels), first * labels);
  });
  return all;
}

/**
 * Logits of clips under a classification model, short ones several at a time, each as if it were alone.
 *
 * @param model Model with a classification head.
 * @param clips Normalised audio of each, at 16 kHz.
 * @returns Of each clip the numbers of its labels.
 * @throws {RangeError} If a clip is too short for one frame.
 */
export async function utteranceLogits(
  model: SpeechModel,
  clips: readonly Float32Array[],
  options: LogitsOptions,
): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  const pieces = clips.map(({ length }, clip) => ({ clip, from: 0, to: length, skip: 0, keep: 1, first: 0 }));
  await hear(model, clips, pieces, options, ({ clip }, logits) => void (all[clip] = logits));
  return all;
}
