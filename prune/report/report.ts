// This folder makes the report of a pruning run. Here is the content of report.json, from which page and plots are made.

import type { ErrorRate, Interval } from "../../model/inference/error_rate.ts";
import type { Quantity } from "../cost.ts";
import type { AchievedCost, RecordedUnits } from "../record.ts";

/** Results of a model: before pruning, after surgery (`trained` where nothing was removed), or after fine-tuning. */
export interface ReportModel {
  /** Which of them it is. */
  readonly name: "dense" | "pruned" | "trained" | "fine-tuned";
  /** Word error rate on the test set; null for another task. */
  readonly wer: ErrorRate | null;
  /** Character error rate on the test set; null for another task. */
  readonly cer: ErrorRate | null;
  /** Share of test utterances whose intent is right; null for another task. */
  readonly accuracy: Interval | null;
  /** Word errors in each test utterance, in their order; for another task 1 where the class is wrong, else 0. */
  readonly errors: readonly number[];
  /** Number of parameters. */
  readonly parameters: number;
  /** Multiply–accumulates (MACs) per second of audio, at the reference length. */
  readonly macs_per_second: number;
  /** Measured compute seconds per second of audio; null if not measured. */
  readonly seconds_per_second: number | null;
  /** Bytes of its weights on disk; null if they are not on disk. */
  readonly file_bytes: number | null;
}

/** A constraint over the steps of pruning. */
export interface ConstraintCurve {
  /** Quantity that is constrained. */
  readonly quantity: Quantity;
  /** Expected share removed, by the gates' probabilities, 0 to 1. */
  readonly expected: readonly number[];
  /** Target share in each step. */
  readonly target: readonly number[];
  /** Lagrange multiplier λ1, of the difference of the two. */
  readonly lambda1: readonly number[];
  /** Lagrange multiplier λ2, of its square. */
  readonly lambda2: readonly number[];
}

/** Curves of the pruning phase; every list is as long as `steps`. */
export interface PruningCurve {
  /** Steps done. */
  readonly steps: readonly number[];
  /** Task loss of each step. */
  readonly loss: readonly number[];
  /** Curves of the constraints; empty if units were chosen without training gates. */
  readonly constraints: readonly ConstraintCurve[];
}

/** An evaluation on the dev set during fine-tuning. */
export interface ReportEvaluation {
  /** Steps done. */
  readonly step: number;
  /** Loss on the dev set. */
  readonly loss: number;
  /** Word error rate, from 0; it may exceed 1. */
  readonly wer?: number;
  /** Character error rate. */
  readonly cer?: number;
  /** Share of intents that are right. */
  readonly accuracy?: number;
}

/** Curves of fine-tuning. */
export interface FinetuningCurve {
  /** Steps done. */
  readonly steps: readonly number[];
  /** Task loss of each step. */
  readonly loss: readonly number[];
  /** Evaluations, in their order. */
  readonly evaluations: readonly ReportEvaluation[];
}

/** Subset of a corpus. */
export interface ReportSubset {
  /** Name. */
  readonly subset: string;
  /** Number of utterances. */
  readonly utterances: number;
  /** Seconds of audio. */
  readonly seconds: number;
}

/** The subset that a run reports on. */
export interface ReportTestSubset extends ReportSubset {
  /** Words of the reference of each utterance, in their order; 1 for another task. */
  readonly lengths: readonly number[];
}

/** Data of a run. */
export interface ReportData {
  /** Name or path of the corpus. */
  readonly name: string;
  /** Training set. */
  readonly train: ReportSubset;
  /** Set for evaluations during training; null if there were none. */
  readonly dev: ReportSubset | null;
  /** Test set. */
  readonly test: ReportTestSubset;
}

/** How speed was measured. */
export interface ReportTiming {
  /** Batch size. */
  readonly utterances: number;
  /** Seconds of audio per utterance. */
  readonly utterance_seconds: number;
  /** Runs of each model, whose median is taken. */
  readonly rounds: number;
}

/** Wall time of a stage of the run. */
export interface ReportStage {
  /** Name, such as `prune`. */
  readonly name: string;
  /** Wall time. */
  readonly seconds: number;
}

/** A pruning run: command, results and training curves. */
export interface PruneReport {
  /** Version of this program. */
  readonly version: string;
  /** Command line that repeats the run. */
  readonly command: string;
  /** End of the run, ISO 8601. */
  readonly date: string;
  /** Speech recognition (`asr`) or intent classification (`slu`). */
  readonly task: "asr" | "slu";
  /** Path or name of the model that was pruned. */
  readonly base_model: string;
  /** Corpus and its subsets. */
  readonly data: ReportData;
  /** Seed of all random numbers. */
  readonly seed: number;
  /** `size`, `sep-size`, `mac`, `uniform`, `transformer-only`, `none`. */
  readonly method: string;
  /** Widths were rounded to multiples of it. */
  readonly round_to: number;
  /** Target and result of each constraint. */
  readonly constraints: readonly AchievedCost[];
  /** Models, in the order of the run. */
  readonly models: readonly ReportModel[];
  /** How their speed was measured; null if it was not. */
  readonly timing: ReportTiming | null;
  /** Curves of the pruning phase. */
  readonly pruning: PruningCurve;
  /** Curves of fine-tuning. */
  readonly finetuning: FinetuningCurve;
  /** Kept units of every group, by names such as `conv.0`, `heads.3`, `ffn.3`. */
  readonly units: Readonly<Record<string, RecordedUnits>>;
  /** Wall time of each stage. */
  readonly stages: readonly ReportStage[];
  /** Name of the GPU adapter. */
  readonly adapter: string;
  /** Software versions by name, such as `deno`. */
  readonly versions: Readonly<Record<string, string>>;
}
