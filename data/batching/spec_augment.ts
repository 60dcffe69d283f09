// SpecAugment: masks spans of frames or channels.
import { type RandomStream, uniformAt } from "../../random/philox.ts";

/** Options of {@linkcode maskSpans}, from fields of `config.json` such as `mask_time_prob`. */
export interface SpanMaskOptions {
  /** Share of each row that the spans cover if they do not overlap, 0 to 1. */
  readonly prob: number;
  /** Length of a span in frames or channels. */
  readonly length: number;
  /** Minimum number of spans per row; default 0. */
  readonly minMasks?: number;
}

// Indices of the random stream that belong to one row.
const ROW = 2 ** 32;

/**
 * Masks spans of frames or channels (SpecAugment, arXiv 1904.08779) as Hugging Face's `_compute_mask_indices` does: a row
 * of n valid positions gets ⌊prob · n / length + u⌋ spans, with the same u in [0, 1) for all rows, at least `minMasks` and
 * at most as many as fit. Their starts are distinct; spans may overlap. Two differences: a row shorter than a span is not
 * masked, where Hugging Face refuses the batch, and padding is never masked.
 *
 * For frames, `valid` is the number of frames of each utterance and `size` is T; for channels both are C.
 *
 * @param valid Number of valid positions of each of B rows.
 * @param size Length of a row with padding.
 * @param options Share, length and minimum number of spans.
 * @param stream Random stream.
 * @returns [B, size], 1 where masked, 0 elsewhere: the mask of `maskEmbedding`.
 * @throws {RangeError} If an option is out of range, a row has more valid positions than `size`, or the stream is invalid.
 *
 * @example
 * ```ts
 * import { maskSpans } from "./spec_augment.ts";
 *
 * const stream = { seed: 1, purpose: "time mask", step: 0 };
 * const mask = maskSpans([49, 30], 49, { prob: 0.05, length: 10, minMasks: 2 }, stream); // [2, 49]
 * ```
 */
export function maskSpans(
  valid: readonly number[],
  size: number,
  options: SpanMaskOptions,
  stream: RandomStream,
): Int32Array<ArrayBuffer> {
  const { prob, length, minMasks = 0 } = options;
  check({ prob, length, minMasks });
  const long = valid.find((n) => n > size);
  if (long !== undefined) {
    throw new RangeError(`Cannot mask spans as a row has at most ${size} positions: ${long} are valid`);
  }
  const mask = new Int32Array(valid.length * size);
  if (prob === 0) return mask;
  const u = uniformAt(0, stream);
  valid.forEach((n, row) => {
    const starts = n - length + 1;
    if (starts <= 0) return;
    const drawn = Math.max(Math.floor(prob * n / length + u), minMasks);
    const spans = Math.min(drawn, Math.floor(size / length), starts);
    for (const start of choose(starts, spans, (i) => uniformAt((row + 1) * ROW + i, stream))) {
      mask.fill(1, row * size + start, row * size + start + length);
    }
  });
  return mask;
}

/** Draws `count` distinct integers below `n`: the first positions of a Fisher–Yates shuffle. */
function choose(n: number, count: number, uniform: (i: number) => number): number[] {
  const moved = new Map<number, number>();
  return Array.from({ length: count }, (_, i) => {
    const j = i + Math.floor(uniform(i) * (n - i));
    const chosen = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    return chosen;
  });
}

function check({ prob, length, minMasks }: Required<SpanMaskOptions>): void {
  const fail = (rule: string, found: number) => {
    throw new RangeError(`Cannot mask spans as ${rule}: found ${found}`);
  };
  if (!(prob >= 0 && prob <= 1)) fail("prob must be from 0 to 1", prob);
  if (!(Number.isInteger(length) && length >= 1)) fail("length must be a whole number from 1", length);
  if (!(Number.isInteger(minMasks) && minMasks >= 0)) fail("minMasks must be a whole number", minMasks);
}
