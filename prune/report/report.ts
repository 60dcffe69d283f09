// What a run of pruning is reported as: the content of report.json, from which page and plots are made.

import type { ErrorRate, Interval } from "../../model/inference/error_rate.ts";
import type { MetricsRecord } from "../../train/metrics.ts";
import type { Quantity } from "../cost.ts";
import type { AchievedCost, RecordedUnits } from "../record.ts";

export { summaryText } from "./summary.ts";

/** What became of a model: before pruning, after surgery, after fine-tuning. */
export interface ReportModel {
  /** Which one it is. */
  readonly name: "dense" | "pruned" | "fine-tuned";
  /** Word error rate on the test clips; null where the task is another. */
  readonly wer: ErrorRate | null;
  /** Character error rate on the test clips; null where the task is another. */
  readonly cer: ErrorRate | null;
  /** Share of the test clips whose intent is right; null where the task is another. */
  readonly accuracy: Interval | null;
  /** Numbers of the model. */
  readonly parameters: number;
  /** Multiply–accumulates for a second of audio, taken at the reference length. */
  readonly macs_per_second: number;
  /** Measured compute seconds for a second of audio; null where not measured. */
  readonly seconds_per_second: number | null;
  /** Size of its weights on disk; null where they are not on disk. */
  readonly file_bytes: number | null;
}

/** A constraint over the steps of pruning. */
export interface ConstraintCurve {
  /** What is constrained. */
  readonly quantity: Quantity;
  /** Share removed that is expected by the gates, 0 to 1. */
  readonly expected: readonly number[];
  /** Share that is to be removed at that step. */
  readonly target: readonly number[];
  /** Multiplier of the difference of the two. */
  readonly lambda1: readonly number[];
  /** Multiplier of its square. */
  readonly lambda2: readonly number[];
}

/** Pruning, step by step; every list is as long as `steps`. */
export interface ReportCurve {
  /** Steps done. */
  readonly steps: readonly number[];
  /** Task loss of each. */
  readonly loss: readonly number[];
  /** The constraints; none where units were chosen without training. */
  readonly constraints: readonly ConstraintCurve[];
}

/** What was measured on the dev clips in the course of fine-tuning. */
export interface ReportEvaluation {
  /** Steps done. */
  readonly step: number;
  /** Loss on the dev clips. */
  readonly loss: number;
  /** Word error rate, 0 to 1 and more. */
  readonly wer?: number;
  /** Character error rate. */
  readonly cer?: number;
  /** Share of intents that are right. */
  readonly accuracy?: number;
}

/** Fine-tuning, step by step. */
export interface ReportTuning {
  /** Steps done. */
  readonly steps: readonly number[];
  /** Task loss of each. */
  readonly loss: readonly number[];
  /** Evaluations, in their order. */
  readonly evaluations: readonly ReportEvaluation[];
}

/** Part of a corpus. */
export interface ReportSubset {
  /** Its name. */
  readonly subset: string;
  /** Clips in it. */
  readonly clips: number;
  /** Their seconds of audio. */
  readonly seconds: number;
}

/** What a model learned from and was measured on. */
export interface ReportData {
  /** Name or path of the corpus. */
  readonly name: string;
  /** What was learned from. */
  readonly train: ReportSubset;
  /** What was evaluated on in between; null if nothing. */
  readonly dev: ReportSubset | null;
  /** What the error in the report is of. */
  readonly test: ReportSubset;
}

/** How time was measured. */
export interface ReportTiming {
  /** Clips timed. */
  readonly clips: number;
  /** Seconds of each. */
  readonly clip_seconds: number;
  /** Times that each was computed. */
  readonly rounds: number;
}

/** Wall time of a part of the run. */
export interface ReportPhase {
  /** Such as `pruning`. */
  readonly name: string;
  /** How long it took. */
  readonly seconds: number;
}

/** A run of pruning: how it was called, what came of it, and how it went. */
export interface PruneReport {
  /** Version of this program. */
  readonly version: string;
  /** Command line that repeats the run. */
  readonly command: string;
  /** When it ended, as ISO 8601 has it. */
  readonly date: string;
  /** Speech recognition or intents. */
  readonly task: "asr" | "slu";
  /** Path or name of the model that was pruned. */
  readonly base_model: string;
  /** Corpus and its parts. */
  readonly data: ReportData;
  /** Seed of all that was drawn. */
  readonly seed: number;
  /** `size`, `sep-size`, `mac`, `uniform`, `transformer-only`. */
  readonly method: string;
  /** Number that widths were rounded to. */
  readonly round_to: number;
  /** Target and achievement of each constraint. */
  readonly constraints: readonly AchievedCost[];
  /** The models that were measured, in the order of their making. */
  readonly models: readonly ReportModel[];
  /** How their time was measured; null where it was not. */
  readonly timing: ReportTiming | null;
  /** Course of pruning. */
  readonly pruning: ReportCurve;
  /** Course of fine-tuning. */
  readonly tuning: ReportTuning;
  /** Every group of the model that was pruned, whole ones too, by names such as `conv.0`, `heads.3`, `ffn.3`. */
  readonly units: Readonly<Record<string, RecordedUnits>>;
  /** Wall time of each phase. */
  readonly phases: readonly ReportPhase[];
  /** Adapter that computed. */
  readonly adapter: string;
  /** Versions by name, such as `deno`. */
  readonly versions: Readonly<Record<string, string>>;
}

const QUANTITIES: readonly Quantity[] = ["parameters", "conv", "transformer", "macs"];

/**
 * The course of pruning, from lines of its metrics: a step has `loss`, and of each constraint `removed.macs`,
 * `target.macs`, `lambda1.macs` and `lambda2.macs` with the quantity behind the dot. Other lines are passed over.
 *
 * @param records Lines of the metrics, in their order.
 *
 * @example
 * ```ts
 * import { curvesOf } from "./report.ts";
 *
 * const line = { "removed.macs": 0.2, "target.macs": 0.25, "lambda1.macs": 0.1, "lambda2.macs": 0.02 };
 * curvesOf([{ step: 1, loss: 3.5, ...line }, { step: 1, dev_loss: 3.4 }]).constraints[0]!.expected; // [0.2]
 * ```
 */
export function curvesOf(records: readonly MetricsRecord[]): ReportCurve {
  const first = records.find(({ loss }) => isNumber(loss));
  const quantities = QUANTITIES.filter((quantity) => isNumber(first?.[`removed.${quantity}`]));
  const keysOf = (quantity: Quantity) =>
    ["removed", "target", "lambda1", "lambda2"].map((name) => `${name}.${quantity}`);
  const keys = ["loss", ...quantities.flatMap(keysOf)];
  const steps = records.filter((record) => keys.every((key) => isNumber(record[key])));
  const column = (key: string) => steps.map((record) => record[key] as number);
  return {
    steps: column("step"),
    loss: column("loss"),
    constraints: quantities.map((quantity) => {
      const [expected, target, lambda1, lambda2] = keysOf(quantity).map(column);
      return { quantity, expected: expected!, target: target!, lambda1: lambda1!, lambda2: lambda2! };
    }),
  };
}

/**
 * The course of fine-tuning, from lines of its metrics: a step has `loss`, an evaluation `dev_loss`, and `wer`, `cer` or
 * `accuracy`. Other lines are passed over.
 *
 * @param records Lines of the metrics, in their order.
 *
 * @example
 * ```ts
 * import { tuningOf } from "./report.ts";
 *
 * const { loss, evaluations } = tuningOf([{ step: 1, loss: 0.8 }, { step: 1, dev_loss: 0.9, wer: 0.2 }]);
 * console.log(loss, evaluations); // [ 0.8 ] [ { step: 1, loss: 0.9, wer: 0.2 } ]
 * ```
 */
export function tuningOf(records: readonly MetricsRecord[]): ReportTuning {
  const steps = records.filter(({ loss }) => isNumber(loss));
  return {
    steps: steps.map(({ step }) => step),
    loss: steps.map(({ loss }) => loss as number),
    evaluations: records.flatMap(({ step, dev_loss, wer, cer, accuracy }) =>
      isNumber(dev_loss)
        ? [{
          step,
          loss: dev_loss,
          ...isNumber(wer) && { wer },
          ...isNumber(cer) && { cer },
          ...isNumber(accuracy) && { accuracy },
        }]
        : []
    ),
  };
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
