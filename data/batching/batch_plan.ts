import { drawSpeeds } from "./augment.ts";
import { shuffle } from "../../random/shuffle.ts";

/** What the plan needs to know of an utterance. */
export interface Timed {
  /** Name, for errors. */
  readonly id: string;
  /** Length at speed 1. */
  readonly seconds: number;
  /** Who speaks, if known. */
  readonly speaker?: string;
}

/** How clips are put together. */
export interface PlanOptions {
  /** Audio of a batch at most, in seconds: clips times the length of the longest, since the others are padded. */
  readonly seconds: number;
  /** Seed of order and speeds, a whole number below 2^32. */
  readonly seed: number;
  /** Whether clips come in another order in every epoch; true unless given. Else they come as they are listed. */
  readonly shuffle?: boolean;
  /** Speeds to draw from; [1] unless given. */
  readonly speeds?: readonly number[];
  /** Joins clips of one speaker until no other fits into so many seconds. */
  readonly join?: JoinPlan;
  /** What becomes of a clip that is longer than a batch: an error unless told otherwise. */
  readonly longer?: "refuse" | "alone" | "skip";
}

/** How clips are joined. */
export interface JoinPlan {
  /** Length of a joined clip at most, in seconds. */
  readonly seconds: number;
  /** Silence between clips, in seconds; 0.1 unless given. */
  readonly gap?: number;
}

/** A clip of a batch: utterances one after the other. */
export interface PlannedUtterance {
  /** Places of the utterances in the corpus, and the speeds to play them at. */
  readonly parts: readonly { readonly index: number; readonly speed: number }[];
  /** With speeds and gaps. */
  readonly seconds: number;
}

// Clips are sorted by length in pools of so many batches: more waste less padding, fewer mix better.
const POOL = 16;
const GAP = 0.1;

/**
 * Puts the clips of an epoch into batches: clips of like length together, within the budget. The same for the same
 * arguments.
 *
 * @param utterances All clips.
 * @param options How.
 * @param epoch Number of the epoch, from 0.
 * @returns Batches; every utterance is in one, unless it is longer than a batch and skipped.
 * @throws {RangeError} If a clip is longer than a batch and that is refused, or the seed is none.
 *
 * @example
 * ```ts
 * import { planEpoch } from "./batch_plan.ts";
 *
 * const clips = [{ id: "a", seconds: 3 }, { id: "b", seconds: 2 }, { id: "c", seconds: 3 }];
 * const batches = planEpoch(clips, { seconds: 6, seed: 1 }, 0); // two: 3 + 3 seconds, and 2
 * ```
 */
export function planEpoch(
  utterances: readonly Timed[],
  options: PlanOptions,
  epoch: number,
): PlannedUtterance[][] {
  const { seconds: budget, seed, speeds = [1], longer = "refuse", join } = options;
  const stream = (purpose: string) => ({ seed, purpose, step: epoch });
  const speedOf = drawSpeeds(speeds, stream("speed of clips"));
  const single = utterances.map(({ seconds }, index): PlannedUtterance => {
    const speed = speedOf(index);
    return { parts: [{ index, speed }], seconds: seconds / speed };
  });
  const tooLong = single.find((clip) => clip.seconds > budget);
  if (tooLong && longer === "refuse") {
    const { id } = utterances[tooLong.parts[0]!.index]!;
    const found = `${id} has ${tooLong.seconds.toFixed(1)} s`;
    throw new RangeError(
      `Cannot make batches as a clip may last ${budget} s, the seconds of a batch: ${found}`,
    );
  }
  const fitting = longer === "skip" ? single.filter((clip) => clip.seconds <= budget) : single;
  const inOrder = options.shuffle ?? true ? shuffle(fitting, stream("order of clips")) : fitting;
  const clips = join ? joinClips(inOrder, utterances, join, budget) : inOrder;
  if (!(options.shuffle ?? true)) return fill(clips, budget);

  const batches: PlannedUtterance[][] = [];
  for (let from = 0; from < clips.length;) {
    let to = from;
    for (let sum = 0; to < clips.length && sum < POOL * budget; to++) sum += clips[to]!.seconds;
    batches.push(...fill(clips.slice(from, to).sort((a, b) => b.seconds - a.seconds), budget));
    from = to;
  }
  return shuffle(batches, stream("order of batches"));
}

/** Clips in their order, as many in a batch as its seconds hold when all are padded to the longest. */
function fill(clips: readonly PlannedUtterance[], budget: number): PlannedUtterance[][] {
  const batches: PlannedUtterance[][] = [];
  let batch: PlannedUtterance[] = [];
  let longest = 0;
  for (const clip of clips) {
    longest = Math.max(longest, clip.seconds);
    // A sum of floats may miss the budget by a rounding.
    if (batch.length > 0 && longest * (batch.length + 1) > budget + 1e-6) {
      batches.push(batch);
      batch = [];
      longest = clip.seconds;
    }
    batch.push(clip);
  }
  return batch.length > 0 ? [...batches, batch] : batches;
}

/** Clips of a speaker one after the other; where speakers are unknown, all are taken for one. */
function joinClips(
  clips: readonly PlannedUtterance[],
  utterances: readonly Timed[],
  { seconds, gap = GAP }: JoinPlan,
  budget: number,
): PlannedUtterance[] {
  const most = Math.min(seconds, budget);
  const open = new Map<string | undefined, PlannedUtterance>();
  const joined: PlannedUtterance[] = [];
  for (const clip of clips) {
    const { speaker } = utterances[clip.parts[0]!.index]!;
    const before = open.get(speaker);
    const together = before ? before.seconds + gap + clip.seconds : 0;
    if (before && together <= most) {
      open.set(speaker, { parts: [...before.parts, ...clip.parts], seconds: together });
    } else {
      if (before) joined.push(before);
      open.set(speaker, clip);
    }
  }
  return [...joined, ...open.values()];
}
