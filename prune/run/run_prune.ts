import { isRoot } from "../../comm/communicator.ts";
import type { PruneReport } from "../report/report.ts";
import type { PruneRun } from "./open_run.ts";
import { runPipeline } from "./pipeline.ts";
import type { PlannedRun } from "./pipeline_options.ts";
import { reportOf } from "./run_report.ts";
import type { PruneSettings } from "./settings.ts";
import type { Journal } from "./stages.ts";

// Not a literal: Deno fetches the packages of a literal import when a program starts, here 85 MB for the plots.
const REPORT: string = "../report/write.ts";

/** What a run needs besides its plan. */
export interface StartedRun {
  readonly settings: PruneSettings;
  /** Results of the stages that are done. */
  readonly journal: Journal;
  /** Ends the run after the current step. */
  readonly signal: AbortSignal;
  /** The command line that repeats the run; empty for a run of the library. */
  readonly command: string;
}

/**
 * Prunes: all stages and the report, which is written where the run has a folder.
 *
 * @param run Model and utterances.
 * @param plan Options of the pipeline.
 * @param started Journal and signal.
 * @returns The report, or null if the signal came, with the state of the run on disk, and on ranks other than 0.
 * @throws {RangeError} If a target cannot be met, or a loss is not finite.
 * @throws {Error} If a file cannot be written; one line.
 */
export async function runPrune(
  run: PruneRun,
  plan: PlannedRun,
  { settings, journal, signal, command }: StartedRun,
): Promise<PruneReport | null> {
  const { store, gpu } = plan;
  // Loaded first, so that a package that cannot be had ends the run before it begins.
  const { writeReport } = store.out === null
    ? { writeReport: null }
    : await import(REPORT) as typeof import("../report/write.ts");
  const result = await runPipeline({ ...plan, journal, signal });
  if (!result || !isRoot(plan.comm ?? null)) return null;
  const report = await reportOf(run, result, { gpu, store, settings, journal, command });
  await writeReport?.(store.out!, report);
  return report;
}
