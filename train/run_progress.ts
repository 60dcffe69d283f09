import type { ProgressSink, StepProgress } from "./progress.ts";

/** Progress of a run. */
export interface RunProgress<Stage extends string = string> {
  /** Stage of the run. */
  readonly stage: Stage;
  /** Steps done in the stage; 0 where it begins, or has no steps. */
  readonly step: number;
  /** Steps of the stage; 0 where it has none. */
  readonly steps: number;
  /** Loss of the step. */
  readonly loss?: number;
  /** The same as a line of text, or the scores of an evaluation. */
  readonly message: string;
}

/** Receives progress. */
export type OnProgress<Stage extends string = string> = (progress: RunProgress<Stage>) => void;

/**
 * Passes the progress of a training on to a callback.
 *
 * @param stage Stage of the run.
 * @param steps Its steps.
 * @param onProgress The callback.
 */
export function progressTo<Stage extends string>(
  stage: Stage,
  steps: number,
  onProgress: OnProgress<Stage> = () => {},
): ProgressSink {
  let step = 0;
  return {
    restart: (done) => void (step = done),
    update(progress: StepProgress) {
      const { loss, fields = {} } = progress;
      step = progress.step;
      const more = Object.entries(fields).map(([name, value]) => `  ${name} ${value}`).join("");
      onProgress({
        stage,
        step,
        steps,
        loss,
        message: `step ${step}/${steps}  loss ${loss.toPrecision(4)}${more}`,
      });
    },
    note: (message) => onProgress({ stage, step, steps, message }),
    end: () => {},
  };
}
