import { drawSets, percentile } from "../../model/inference/resample.ts";

/** Difference of two systems on the same utterances. */
export interface Difference {
  /** Error rate of the first less that of the second. */
  readonly value: number;
  /** 2.5th percentile over resampled sets. */
  readonly low: number;
  /** 97.5th percentile over resampled sets. */
  readonly high: number;
  /** Two-sided p-value. */
  readonly p: number;
}

/** Two systems to compare, by their errors in each utterance. */
export interface Pair {
  readonly errors: readonly number[];
  readonly others: readonly number[];
}

/** Options of {@linkcode pairedBootstrap}. */
export interface PairedBootstrapOptions {
  /** Number of resampled sets; default: 10,000. */
  readonly resamples?: number;
  /** Seed of the resampling; default: 0. */
  readonly seed?: number;
}

/**
 * Paired bootstrap of differences in error rate. With errors aᵢ and bᵢ of two systems in utterance i and lengths nᵢ, the
 * difference is Δ = Σ(aᵢ − bᵢ) / Σnᵢ, over all utterances and over B sets of as many, drawn with replacement and the same
 * for both systems. Its interval has the percentiles of the Δ of these sets, and p = min(1, 2 (1 + min(#Δ≤0, #Δ≥0)) / (1 + B)).
 *
 * Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004 (the share of sets
 * with Δ < 0 is their probability of improvement); one is added to both counts, as in Davison and Hinkley, "Bootstrap methods
 * and their application", 1997, section 4.2, so that p is never 0.
 *
 * @param pairs Systems to compare; all pairs see the same sets.
 * @param lengths Words of the reference of each utterance; 1 for classes.
 * @param options Number of sets and seed.
 * @returns The difference of each pair.
 * @throws {RangeError} If numbers of utterances differ, or all references are empty.
 *
 * @example
 * ```ts
 * import { pairedBootstrap } from "./paired_bootstrap.ts";
 *
 * const [difference] = pairedBootstrap([{ errors: [0, 1, 0], others: [1, 2, 1] }], [4, 5, 4]);
 * console.log(difference!.value.toFixed(3)); // -0.231
 * ```
 */
export function pairedBootstrap(
  pairs: readonly Pair[],
  lengths: readonly number[],
  { resamples = 10_000, seed = 0 }: PairedBootstrapOptions = {},
): Difference[] {
  const n = lengths.length;
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total === 0) {
    throw new RangeError("Cannot compare systems as a reference must have words: all are empty");
  }
  const gains = pairs.map(({ errors, others }) => {
    for (const one of [errors, others]) {
      if (one.length === n) continue;
      throw new RangeError(
        `Cannot compare systems as their utterances must be the same: ${one.length} and ${n}`,
      );
    }
    return Float64Array.from(errors, (error, i) => error - others[i]!);
  });
  const sets = pairs.map(() => new Float64Array(resamples));
  let drawn = 0;
  for (const set of drawSets(n, { resamples, seed, purpose: "paired bootstrap" })) {
    const words = sumOver(set, lengths);
    // A set of empty references has no rate; it counts as no difference.
    for (let k = 0; k < gains.length; k++) {
      sets[k]![drawn] = words === 0 ? 0 : sumOver(set, gains[k]!) / words;
    }
    drawn++;
  }
  return gains.map((gain, k) => ({
    value: gain.reduce((sum, one) => sum + one, 0) / total,
    ...spread(sets[k]!),
  }));
}

function sumOver(set: Uint32Array, values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < set.length; i++) sum += values[set[i]!]!;
  return sum;
}

function spread(differences: Float64Array): Omit<Difference, "value"> {
  const [below, above] = [(d: number) => d <= 0, (d: number) => d >= 0].map((test) =>
    differences.filter(test).length
  );
  const p = Math.min(1, 2 * (1 + Math.min(below!, above!)) / (1 + differences.length));
  const sorted = differences.toSorted();
  return { low: percentile(sorted, 0.025) ?? 0, high: percentile(sorted, 0.975) ?? 0, p };
}
