/**
 * One run of a sweep: a run of `prune`, begun or resumed in its folder.
 *
 * @module
 */
import { LockedError } from "../files/lock.ts";
import { EARLY_FILES } from "../prune/run/library_run.ts";
import { runPrune } from "../prune/run/run_prune.ts";
import { RunStore } from "../prune/run/run_store.ts";
import { readRunFolder, type SweepFolder } from "../prune/sweep/folder.ts";
import { DeviceError } from "../tensor/device_errors.ts";
import { openGpu } from "./backend.ts";
import { compareInputs } from "./changed_inputs.ts";
import { onFiles } from "./files.ts";
import { claimOutput, refuseOutput } from "./long_run.ts";
import { folderOf, readBaseModel } from "./model_option.ts";
import { printError } from "./print.ts";
import { beginJournal, checkedSettings, commandOf, openJournal, openRun } from "./prune_run.ts";
import { checkResources } from "./resources.ts";
import { waitFor } from "./stderr.ts";
import type { PlannedRun } from "./sweep_plan.ts";
import { UserError } from "./user_error.ts";

/** How an attempt at a run ended: `known` was finished or failed before, `held` by another process, `stopped` by the signal. */
export type AttemptEnd = "known" | "held" | "stopped" | "finished" | "failed";

/**
 * Makes or resumes a run, unless it is finished, has failed since the sweep began, or another process has it. Its failure
 * is printed and kept.
 *
 * @param run the run
 * @param folder folder of the sweep
 * @param since when this sweep began, ISO 8601
 * @param announce called before there is something to do
 * @param signal ends it after the current step
 */
export async function attempt(
  run: PlannedRun,
  { folder, since, announce, signal }: {
    folder: SweepFolder;
    since: string;
    announce: () => Promise<void>;
    signal: AbortSignal;
  },
): Promise<AttemptEnd> {
  const { name, out } = run;
  const isOver = async () => {
    if ((await readRunFolder(out))?.finished) return true;
    return (await folder.failure(name) ?? { date: "" }).date >= since;
  };
  try {
    if (await isOver()) return "known";
    using claim = await claimOutput("sweep", out).catch((error) => {
      if (error instanceof LockedError) return null;
      throw error;
    });
    if (!claim) return "held";
    if (await isOver()) return "known";
    await announce();
    if (!await onFiles(() => makeRun(run, folder, signal))) return "stopped";
    await folder.setFailure(name, null);
    return "finished";
  } catch (error) {
    const line = (error as Error).message.replace(/\s*\n\s*/g, " ");
    printError(`failed: ${name}: ${line}`);
    if (!(error instanceof UserError || error instanceof DeviceError)) printError(Deno.inspect(error));
    await folder.setFailure(name, { date: new Date().toISOString(), error: line });
    return "failed";
  }
}

/** Runs all that is not done yet. Returns whether it came to its end. */
async function makeRun({ out, settings }: PlannedRun, folder: SweepFolder, signal: AbortSignal) {
  const saved = await openJournal(out, settings, true);
  if (!saved) await refuseOutput(out, EARLY_FILES);
  const checked = checkedSettings(saved?.settings ?? settings);
  const gpu = await openGpu({}, true);
  try {
    using opened = await openRun(checked, { gpu, store: new RunStore(out) });
    const { run, plan, inputs, memory } = opened;
    if (saved) {
      const policy = { accepted: [], changeable: [], effect: () => "" };
      compareInputs(out, saved.journal.fingerprints, inputs, policy);
    }
    await checkResources({ command: "sweep", out, gpu, resumed: saved !== null }, memory);
    const journal = saved?.journal ?? await beginJournal(out, settings, inputs, true);
    const onWait = waitFor("evaluates the model before pruning");
    const evaluateDense = (work: Parameters<NonNullable<typeof plan.evaluateDense>>[0]) =>
      folder.evaluateDense(inputs, work, onWait);
    const command = commandOf("prune", checked.settings);
    const started = { settings: checked.runSettings, journal, signal, command };
    return await runPrune(run, { ...plan, evaluateDense }, started) !== null;
  } finally {
    gpu.destroy();
  }
}

/**
 * Checks before anything is written that options fit together, that the model can be read, and that runs in the folder have
 * the options of this sweep.
 *
 * @param runs the runs
 * @throws {Error} something is wrong; one line
 */
export async function checkRuns(runs: readonly PlannedRun[]): Promise<void> {
  for (const { out, settings } of runs) {
    checkedSettings(settings);
    await openJournal(out, settings, false);
  }
  const { settings } = runs[0]!;
  await readBaseModel(await folderOf(settings.model!, settings), settings.model!, settings);
}
