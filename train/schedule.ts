/** Shape of a learning rate over the steps of a run. */
export type ScheduleKind = "tri-stage" | "linear" | "constant";

/** Options of {@linkcode scheduleOf}. */
export interface ScheduleOptions {
  /** Shape. */
  readonly kind: ScheduleKind;
  /** Steps of the run, from 1. */
  readonly steps: number;
  /** Steps over which the rate rises; default: 0. */
  readonly warmup?: number;
  /** `tri-stage`: share of the steps after the warm-up in which the rate stays at its peak; default: 4/9. */
  readonly hold?: number;
  /** `tri-stage`: share of the peak rate in the last step; default: 0.05. */
  readonly floor?: number;
}

/** Factor of the peak learning rate by step, from 0; at most 1, above 0 within the run. */
export type Schedule = (step: number) => number;

/**
 * The learning rate as a function of the step alone, so that a resumed run has the same. Every shape rises linearly,
 * (step + 1) / warmup; then
 *
 * - `tri-stage` holds and falls exponentially to the floor (fairseq's schedule of wav2vec 2.0, Baevski et al. 2020,
 *   arXiv 2006.11477, whose 10 %, 40 % and 50 % are these defaults with a warm-up of a tenth);
 * - `linear` falls linearly, to 0 after the last step;
 * - `constant` stays at the peak.
 *
 * @throws {RangeError} If the number of steps is not a whole number from 1, the warm-up is longer than the run, or a share
 * is out of range.
 *
 * @example
 * ```ts
 * import { scheduleOf } from "./schedule.ts";
 *
 * const rate = scheduleOf({ kind: "linear", steps: 10, warmup: 2 });
 * [rate(0), rate(1), rate(2), rate(9)]; // 0.5, 1, 1, 0.125
 * ```
 */
export function scheduleOf(
  { kind, steps, warmup = 0, hold = 4 / 9, floor = 0.05 }: ScheduleOptions,
): Schedule {
  const demand = (fits: boolean, rule: string, found: number) => {
    if (!fits) throw new RangeError(`Cannot schedule a learning rate as ${rule}: found ${found}`);
  };
  demand(Number.isSafeInteger(steps) && steps >= 1, "steps must be a whole number from 1", steps);
  const fits = Number.isSafeInteger(warmup) && warmup >= 0 && warmup <= steps;
  demand(fits, `warmup must be a whole number up to the ${steps} steps`, warmup);
  demand(hold >= 0 && hold <= 1, "hold must be a share from 0 to 1", hold);
  demand(floor > 0 && floor <= 1, "floor must be above 0 and at most 1", floor);
  const rest = steps - warmup;
  const held = Math.round(rest * hold);
  const falling = Math.max(1, rest - held);
  return (step) => {
    if (step < warmup) return (step + 1) / warmup;
    const after = Math.min(step, steps - 1) - warmup;
    switch (kind) {
      case "constant":
        return 1;
      case "linear":
        return (rest - after) / rest;
      case "tri-stage":
        return after < held ? 1 : floor ** ((after - held + 1) / falling);
    }
  };
}
