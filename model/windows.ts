import type { Tensor } from "../tensor/tensor.ts";
import { framesOf, type SpeechModel } from "./speech_model.ts";

/** Samples between two frames of the published models. */
const hopOf = (model: SpeechModel) => model.config.conv_stride.reduce((hop, stride) => hop * stride, 1);

/** How long audio is cut. */
export interface WindowOptions {
  /** Longest stretch that the model sees at a time, in seconds; 15 unless given. */
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
}

/**
 * Cuts a clip into overlapping windows whose kept frames, one after the other, are the frames of the whole clip.
 *
 * @param model Model whose frames they are.
 * @param samples Length of the clip, in samples at 16 kHz.
 * @throws {RangeError} If the margins leave nothing of a window.
 */
export function windowsOf(model: SpeechModel, samples: number, options: WindowOptions = {}): Window[] {
  const { windowSeconds = 15, marginSeconds = 1 } = options;
  const hop = hopOf(model);
  const window = Math.round(windowSeconds * 16_000 / hop) * hop;
  const margin = Math.round(marginSeconds * 16_000 / hop);
  const total = framesOf(model.config, samples);
  if (samples <= window) return [{ from: 0, to: samples, skip: 0, keep: total }];
  const each = framesOf(model.config, window);
  if (each <= 2 * margin) {
    throw new RangeError(
      `Cannot cut audio as a window must be longer than its margins: ${windowSeconds} s, twice ${marginSeconds} s`,
    );
  }
  const windows: Window[] = [];
  for (let done = 0; done < total;) {
    const first = Math.max(0, done - margin);
    const from = first * hop;
    const to = Math.min(samples, from + window);
    const frames = framesOf(model.config, to - from);
    const skip = done - first;
    const last = first + frames >= total;
    const keep = last ? total - done : frames - skip - margin;
    windows.push({ from, to, skip, keep });
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

/**
 * Logits of a clip of any length under a CTC model, window by window, so that memory does not grow with it.
 *
 * @param model Model with a CTC head.
 * @param samples Normalised audio at 16 kHz.
 * @param masked Whether the model was trained with an attention mask.
 * @throws {TypeError} If the model has no CTC head.
 * @throws {RangeError} If the clip is too short for one frame.
 */
export async function frameLogits(
  model: SpeechModel,
  samples: Float32Array,
  masked: boolean,
  options: WindowOptions = {},
): Promise<FrameLogits> {
  if (model.head !== "ctc") {
    throw new TypeError(`Cannot transcribe as the model has no CTC head: ${model.head}`);
  }
  const { gpu } = model;
  const labels = model.config.vocab_size;
  const frames = framesOf(model.config, samples.length);
  const logits = new Float32Array(frames * labels);
  let done = 0;
  for (const { from, to, skip, keep } of windowsOf(model, samples.length, options)) {
    using part = gpu.scope((): Tensor => {
      const clip = gpu.tensor(samples.subarray(from, to), [1, to - from]);
      return model.forward({ samples: clip, lengths: masked ? [to - from] : null }).logits!;
    });
    const found = await part.read() as Float32Array;
    logits.set(found.subarray(skip * labels, (skip + keep) * labels), done * labels);
    done += keep;
  }
  return { logits, frames, labels };
}
