// Plans the batches of an epoch: speeds, order, joined utterances, and padding.
import { drawSpeeds } from "./augment.ts";
import { shuffle } from "../../random/shuffle.ts";

/** The properties of an utterance that the plan depends on. */
export interface Timed {
  /** Id for errors. */
  readonly id: string;
  /** Duration at speed 1. */
  readonly seconds: number;
  /** Speaker, if known. */
  readonly speaker?: string;
}

/** Options of {@linkcode planEpoch}. */
export interface PlanOptions {
  /** Maximum duration of a batch with padding, in seconds: number of utterances times the longest. */
  readonly seconds: number;
  /** Seed of order and speeds, a whole number below 2^32. */
  readonly seed: number;
  /** Whether to shuffle in every epoch; default true. Otherwise the order is that of the corpus. */
  readonly shuffle?: boolean;
  /** Speeds to draw from; default [1]. */
  readonly speeds?: readonly number[];
  /** Joins utterances of one speaker; default no joining. */
  readonly join?: JoinPlan;
  /** What to do with an utterance that is longer than a batch; default `refuse`, an error. */
  readonly longer?: "refuse" | "alone" | "skip";
}

/** How utterances are joined. */
export interface JoinPlan {
  /** Maximum duration of a joined utterance, in seconds. */
  readonly seconds: number;
  /** Silence between utterances, in seconds; default 0.1. */
  readonly gap?: number;
}

/** An utterance of a batch: one utterance of the corpus, or several joined. */
export interface PlannedUtterance {
  /** Indices of the utterances in the corpus, with their speeds. */
  readonly parts: readonly { readonly index: number; readonly speed: number }[];
  /** Duration with speeds and gaps. */
  readonly seconds: number;
}

// Utterances are sorted by length within pools of so many batches: large pools need less padding, small ones mix better.
const POOL = 16;
const GAP = 0.1; // seconds

/**
 * Plans the batches of an epoch: utterances of similar duration together, within the maximum duration. The same arguments
 * give the same plan.
 *
 * @param utterances All utterances.
 * @param options Duration, order, speeds and joining.
 * @param epoch Number of the epoch, from 0.
 * @returns Batches; every utterance is in one, unless it is longer than a batch and skipped.
 * @throws {RangeError} If an utterance is longer than a batch and that is refused, or the seed is invalid.
 *
 * @example
 * ```ts
 * import { planEpoch } from "./batch_plan.ts";
 *
 * const utterances = [{ id: "a", seconds: 3 }, { id: "b", seconds: 2 }, { id: "c", seconds: 3 }];
 * const batches = planEpoch(utterances, { seconds: 6, seed: 1 }, 0); // two: 3 + 3 seconds, and 2
 * ```
 */
export function planEpoch(
  utterances: readonly Timed[],
  options: PlanOptions,
  epoch: number,
): PlannedUtterance[][] {
  const { seconds: budget, seed, speeds = [1], longer = "refuse", join } = options;
  // Purposes are part of the random streams: another text would give other plans.
  const stream = (purpose: string) => ({ seed, purpose, step: epoch });
  const speedOf = drawSpeeds(speeds, stream("speed of clips"));
  const single = utterances.map(({ seconds }, index): PlannedUtterance => {
    const speed = speedOf(index);
    return { parts: [{ index, speed }], seconds: seconds / speed };
  });
  const tooLong = single.find((one) => one.seconds > budget);
  if (tooLong && longer === "refuse") {
    const { id } = utterances[tooLong.parts[0]!.index]!;
    const found = `${id} has ${tooLong.seconds.toFixed(1)} s`;
    throw new RangeError(
      `Cannot make batches as an utterance may last ${budget} s, the seconds of a batch: ${found}`,
    );
  }
  const fitting = longer === "skip" ? single.filter((one) => one.seconds <= budget) : single;
  const inOrder = options.shuffle ?? true ? shuffle(fitting, stream("order of clips")) : fitting;
  const planned = join ? joinUtterances(inOrder, utterances, join, budget) : inOrder;
  if (!(options.shuffle ?? true)) return fillBatches(planned, budget);

  const batches: PlannedUtterance[][] = [];
  for (let from = 0; from < planned.length;) {
    let to = from;
    for (let sum = 0; to < planned.length && sum < POOL * budget; to++) sum += planned[to]!.seconds;
    batches.push(...fillBatches(planned.slice(from, to).sort((a, b) => b.seconds - a.seconds), budget));
    from = to;
  }
  return shuffle(batches, stream("order of batches"));
}

/** Fills batches in order, each with as many utterances as fit when all are padded to the longest. */
function fillBatches(planned: readonly PlannedUtterance[], budget: number): PlannedUtterance[][] {
  const batches: PlannedUtterance[][] = [];
  let batch: PlannedUtterance[] = [];
  let longest = 0;
  for (const one of planned) {
    longest = Math.max(longest, one.seconds);
    // Rounding may put a sum slightly above the budget.
    if (batch.length > 0 && longest * (batch.length + 1) > budget + 1e-6) {
      batches.push(batch);
      batch = [];
      longest = one.seconds;
    }
    batch.push(one);
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}

/** Joins successive utterances of a speaker; all count as one speaker if speakers are unknown. */
function joinUtterances(
  single: readonly PlannedUtterance[],
  utterances: readonly Timed[],
  { seconds, gap = GAP }: JoinPlan,
  budget: number,
): PlannedUtterance[] {
  const limit = Math.min(seconds, budget);
  const open = new Map<string | undefined, PlannedUtterance>();
  const joined: PlannedUtterance[] = [];
  for (const one of single) {
    const { speaker } = utterances[one.parts[0]!.index]!;
    const before = open.get(speaker);
    const together = before ? before.seconds + gap + one.seconds : 0;
    if (before && together <= limit) {
      open.set(speaker, { parts: [...before.parts, ...one.parts], seconds: together });
    } else {
      if (before) joined.push(before);
      open.set(speaker, one);
    }
  }
  return [...joined, ...open.values()];
}
