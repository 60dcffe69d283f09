import { type RandomStream, uniformAt } from "../../random/philox.ts";

/** How much is masked, by the fields of `config.json`: `mask_time_prob` and so on. */
export interface SpanMaskOptions {
  /** Share of each row that spans would cover if they did not overlap, 0 to 1. */
  readonly prob: number;
  /** Length of a span: frames or channels. */
  readonly length: number;
  /** Spans of each row at least; 0 unless given. */
  readonly minMasks?: number;
}

// Indices of a stream that belong to one row.
const ROW = 2 ** 32;

/**
 * Masks spans of frames or of channels (SpecAugment, arXiv 1904.08779) as Hugging Face's `_compute_mask_indices` does:
 * a row of n valid places gets ⌊prob · n / length + u⌋ spans, u being one number for all rows, at least `minMasks`, at
 * most as many as fit, that start anywhere without a start twice; spans may overlap. Two differences keep short clips
 * in: rows shorter than a span stay as they are, where Hugging Face refuses the batch, and so do padded places.
 *
 * For frames, `valid` are the clips' frames and `size` is T; for channels, `valid` is C for each clip and `size` C.
 *
 * @param valid Places of each of B rows that may be masked.
 * @param size Places of a row, padding included.
 * @param options How much is masked.
 * @param stream Names the numbers.
 * @returns [B, size], 1 where masked, 0 elsewhere: the data of `maskEmbedding`'s mask.
 * @throws {RangeError} If an option is out of range, a row has more places than `size`, or the stream is none.
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
    throw new RangeError(`Cannot mask spans as a row has at most ${size} places: ${long} are valid`);
  }
  const mask = new Int32Array(valid.length * size);
  if (prob === 0) return mask;
  const u = uniformAt(0, stream);
  valid.forEach((n, row) => {
    const starts = n - length + 1;
    if (starts <= 0) return;
    const wanted = Math.max(Math.floor(prob * n / length + u), minMasks);
    const spans = Math.min(wanted, Math.floor(size / length), starts);
    for (const start of choose(starts, spans, (i) => uniformAt((row + 1) * ROW + i, stream))) {
      mask.fill(1, row * size + start, row * size + start + length);
    }
  });
  return mask;
}

/** `count` different numbers below `n`: the first places of a shuffle of which only these are kept. */
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
