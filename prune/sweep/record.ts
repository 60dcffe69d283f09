// This folder is about many pruning runs: their common record, the statistics of their differences, tables and plots. Here is
// the content of sweep.json, from which all others are made.

import type { PruneReport, ReportData, ReportModel } from "../report/report.ts";

/** Which run of a sweep it is. */
export interface RunKey {
  /** Name of its folder. */
  readonly name: string;
  /** `mac`, …; `none` is the control: the dense model with the same training. */
  readonly method: string;
  /** Share to remove; null for the control. */
  readonly target: number | null;
  readonly seed: number;
  /** Other options that the sweep varies, by name. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

/** Results of a run. */
export interface SweepResult {
  /** Command line that repeats it. */
  readonly command: string;
  /** Its end, ISO 8601. */
  readonly date: string;
  /** Models, in the order of the run: first the dense, last the final one. */
  readonly models: readonly Omit<ReportModel, "errors">[];
  /** Errors of the final model in each test utterance, in their order. */
  readonly errors: readonly number[];
  readonly constraints: PruneReport["constraints"];
  readonly stages: PruneReport["stages"];
  readonly adapter: string;
  readonly versions: PruneReport["versions"];
}

/** A run of a sweep. */
export interface SweepRun extends RunKey {
  readonly state: "finished" | "failed" | "unfinished";
  /** Why it failed, in one line; null if it did not. */
  readonly error: string | null;
  /** Null unless it is finished. */
  readonly result: SweepResult | null;
}

/** A sweep: all that its tables and plots are made from. */
export interface SweepRecord {
  /** Version of this program. */
  readonly version: string;
  /** Command lines of the sweep; several may have runs in one folder. */
  readonly commands: readonly string[];
  /** End of its last run, ISO 8601; empty without results. */
  readonly date: string;
  /** Task, model and data of all runs; null without results. */
  readonly common: SweepCommon | null;
  readonly runs: readonly SweepRun[];
}

/** What the runs of a sweep have in common. */
export interface SweepCommon {
  readonly task: "asr" | "slu";
  /** Path or name of the model that was pruned. */
  readonly base_model: string;
  readonly data: ReportData;
  /** The model before pruning, with its errors; its time is that of the first run. */
  readonly dense: ReportModel;
}

/** Result of a run from its report. */
export function resultOf(report: PruneReport): SweepResult {
  const { command, date, models, constraints, stages, adapter, versions } = report;
  const scores = models.map(({ errors: _, ...model }) => model);
  const { errors } = models.at(-1)!;
  return { command, date, models: scores, errors, constraints, stages, adapter, versions };
}

/** Wall time of a run in seconds, of all its stages. */
export function secondsOf({ stages }: SweepResult): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0);
}
