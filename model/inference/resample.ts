// Resampling for the bootstrap: sets of utterances drawn with replacement, and percentiles over them.

import { philox, streamParams } from "../../random/philox.ts";

/** Options of {@linkcode drawSets}. */
export interface DrawOptions {
  /** Number of sets. */
  readonly resamples: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** What they are for: another purpose draws other sets. */
  readonly purpose: string;
}

/**
 * Draws sets of as many utterances as there are, with replacement.
 *
 * @param n Number of utterances.
 * @returns Indices from 0 to n − 1, n in each set; a set is overwritten by the next one.
 */
export function* drawSets(n: number, { resamples, seed, purpose }: DrawOptions): Generator<Uint32Array> {
  const { seed: key0, purpose: key1 } = streamParams({ seed, purpose, step: 0 });
  const set = new Uint32Array(n);
  for (let index = 0; index < resamples; index++) {
    for (let i = 0; i < n; i += 4) {
      const words = philox([i / 4, index, 0, 0], [key0, key1]);
      for (let j = 0; j < 4 && i + j < n; j++) set[i + j] = Math.floor(words[j]! / 2 ** 32 * n);
    }
    yield set;
  }
}

/** Percentile of sorted values, interpolated. @param share From 0 to 1. @returns Undefined without values. */
export function percentile(sorted: ArrayLike<number>, share: number): number | undefined {
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (below === undefined || above === undefined) return undefined;
  return below + (above - below) * (place - Math.floor(place));
}
