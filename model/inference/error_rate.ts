import { drawSets, percentile } from "./resample.ts";

/** Edits between a hypothesis and its reference, in words or characters. */
export interface EditCounts {
  /** Words of the reference replaced by others. */
  readonly substitutions: number;
  /** Words of the hypothesis that the reference lacks. */
  readonly insertions: number;
  /** Words of the reference that the hypothesis lacks. */
  readonly deletions: number;
  /** Length of the reference. */
  readonly reference: number;
}

/** A rate with its 95 % confidence interval. */
export interface Interval {
  /** Rate over all utterances. */
  readonly value: number;
  /** 2.5th percentile over resampled sets. */
  readonly low: number;
  /** 97.5th percentile over resampled sets. */
  readonly high: number;
}

/** An error rate with its interval and edit counts. */
export interface ErrorRate extends Interval, EditCounts {
  /** Number of utterances. */
  readonly utterances: number;
}

/** Options of the bootstrap. */
export interface BootstrapOptions {
  /** Number of resampled sets; default 1000. */
  readonly resamples?: number;
  /** Seed of the resampling; default 0. */
  readonly seed?: number;
}

/**
 * Counts the edits of a shortest alignment of a hypothesis to a reference (Levenshtein). Of alignments of equal length, one
 * with the most substitutions is taken.
 *
 * @example
 * ```ts
 * import { editCounts } from "./error_rate.ts";
 *
 * editCounts(["a", "b", "c"], ["a", "x"]); // 1 substitution, 0 insertions, 1 deletion, reference 3
 * ```
 */
export function editCounts(reference: readonly string[], hypothesis: readonly string[]): EditCounts {
  const n = hypothesis.length;
  // Best alignment of the reference so far to each prefix of the hypothesis: edits, insertions, deletions.
  let row = Array.from({ length: n + 1 }, (_, j) => ({ edits: j, insertions: j, deletions: 0 }));
  for (let i = 0; i < reference.length; i++) {
    const above = row;
    row = [step(above[0]!, 0, 1)];
    for (let j = 0; j < n; j++) {
      if (reference[i] === hypothesis[j]) {
        row.push(above[j]!);
        continue;
      }
      const [left, corner, up] = [row[j]!.edits, above[j]!.edits, above[j + 1]!.edits];
      if (corner <= left && corner <= up) row.push(step(above[j]!, 0, 0));
      else if (up <= left) row.push(step(above[j + 1]!, 0, 1));
      else row.push(step(row[j]!, 1, 0));
    }
  }
  const { edits, insertions, deletions } = row[n]!;
  return {
    substitutions: edits - insertions - deletions,
    insertions,
    deletions,
    reference: reference.length,
  };
}

function step(
  from: { edits: number; insertions: number; deletions: number },
  insertion: number,
  deletion: number,
): { edits: number; insertions: number; deletions: number } {
  return {
    edits: from.edits + 1,
    insertions: from.insertions + insertion,
    deletions: from.deletions + deletion,
  };
}

/**
 * Word edits between two texts. Words are separated by white space; case matters.
 *
 * @example
 * ```ts
 * import { wordEdits } from "./error_rate.ts";
 *
 * console.log(wordEdits("turn on the light", "turn on light").deletions); // 1
 * ```
 */
export function wordEdits(reference: string, hypothesis: string): EditCounts {
  return editCounts(wordsOf(reference), wordsOf(hypothesis));
}

/**
 * Character edits between two texts, by code points. White space between words counts as one space.
 *
 * @example
 * ```ts
 * import { characterEdits } from "./error_rate.ts";
 *
 * console.log(characterEdits("light", "night").substitutions); // 1
 * ```
 */
export function characterEdits(reference: string, hypothesis: string): EditCounts {
  return editCounts([...wordsOf(reference).join(" ")], [...wordsOf(hypothesis).join(" ")]);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

/** Sum of the three kinds of edits. */
export function editsOf({ substitutions, insertions, deletions }: EditCounts): number {
  return substitutions + insertions + deletions;
}

/**
 * Error rate over utterances: edits divided by the length of the references, with a 95 % confidence interval by bootstrap over
 * the utterances (Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", 2004).
 *
 * @param counts Edits per utterance, from {@linkcode wordEdits} or {@linkcode characterEdits}.
 * @throws {RangeError} If there are no utterances, or all references are empty.
 *
 * @example
 * ```ts
 * import { errorRate, wordEdits } from "./error_rate.ts";
 *
 * const { value } = errorRate([wordEdits("turn on the light", "turn of the light"), wordEdits("stop", "stop")]);
 * console.log(value); // 0.2
 * ```
 */
export function errorRate(counts: readonly EditCounts[], options: BootstrapOptions = {}): ErrorRate {
  const total = (key: keyof EditCounts) => counts.reduce((sum, count) => sum + count[key], 0);
  const lengths = counts.map(({ reference }) => reference);
  return {
    ...bootstrap(counts.map(editsOf), lengths, options),
    substitutions: total("substitutions"),
    insertions: total("insertions"),
    deletions: total("deletions"),
    reference: total("reference"),
    utterances: counts.length,
  };
}

/**
 * Share of correct utterances, with a 95 % confidence interval by bootstrap.
 *
 * @param hits Whether each utterance is correct.
 * @throws {RangeError} If there are no utterances.
 *
 * @example
 * ```ts
 * import { accuracy } from "./error_rate.ts";
 *
 * console.log(accuracy([true, true, false, true]).value); // 0.75
 * ```
 */
export function accuracy(hits: readonly boolean[], options: BootstrapOptions = {}): Interval {
  return bootstrap(hits.map(Number), hits.map(() => 1), options);
}

/** Σ parts / Σ wholes, with percentiles over sets of utterances drawn with replacement. */
function bootstrap(
  parts: readonly number[],
  wholes: readonly number[],
  { resamples = 1000, seed = 0 }: BootstrapOptions,
): Interval {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  if (!(sum(wholes) > 0)) {
    throw new RangeError(
      `Cannot compute a rate as the references must not be empty: found ${parts.length} utterances of length 0`,
    );
  }
  const rates: number[] = [];
  for (const set of drawSets(parts.length, { resamples, seed, purpose: "bootstrap" })) {
    let part = 0;
    let whole = 0;
    for (const drawn of set) {
      part += parts[drawn]!;
      whole += wholes[drawn]!;
    }
    // The rate of a set of empty references is undefined.
    if (whole > 0) rates.push(part / whole);
  }
  rates.sort((a, b) => a - b);
  const value = sum(parts) / sum(wholes);
  return { value, low: percentile(rates, 0.025) ?? value, high: percentile(rates, 0.975) ?? value };
}
