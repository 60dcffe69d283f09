import type { BatchScores } from "./evaluate.ts";

/** Score of an evaluation, to be compared with others of the run. */
export interface Score {
  /** Steps done. */
  readonly step: number;
  /** Values in order of importance, lower is better: error rates, then the loss. The first that differs decides. */
  readonly order: readonly number[];
}

/** Score of an evaluation: word and character error rate, or 1 − accuracy; then the loss. */
export function scoreOf(step: number, { wer, cer, accuracy, loss }: BatchScores): Score {
  const errors = accuracy ? [1 - accuracy.value] : [wer!.value, cer!.value];
  return { step, order: [...errors, loss] };
}

/** Whether an evaluation is better than the best one so far. */
export function isBetter(score: Score, best: Score | null): boolean {
  if (!best) return true;
  const at = score.order.findIndex((value, i) => value !== best.order[i]);
  return at >= 0 && score.order[at]! < best.order[at]!;
}

/** Best evaluation of a training. */
export interface BestScores {
  /** Steps done. */
  readonly step: number;
  /** Word error rate as a share; null for a classification model. */
  readonly wer: number | null;
  /** Share of utterances whose most probable class is right; null for a CTC model. */
  readonly accuracy: number | null;
}

/** The best evaluation by its measure. @param best Its score; null without evaluations. */
export function bestScores(best: Score | null): BestScores | null {
  if (!best) return null;
  const [error] = best.order as [number];
  const isWer = best.order.length > 2;
  return { step: best.step, wer: isWer ? error : null, accuracy: isWer ? null : 1 - error };
}
