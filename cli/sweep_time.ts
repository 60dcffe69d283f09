/**
 * How long the runs of a sweep take: those of the same kind that are finished, or a few measured steps.
 *
 * @module
 */
import { runPrune } from "../prune/run/run_prune.ts";
import { RunStore } from "../prune/run/run_store.ts";
import { Journal } from "../prune/run/stages.ts";
import { readRunFolder } from "../prune/sweep/folder.ts";
import type { ProgressSink } from "../train/progress.ts";
import { openGpu } from "./backend.ts";
import { checkedSettings, openRun } from "./prune_run.ts";
import type { PlannedRun } from "./sweep_plan.ts";

/** A run, and how far it is. */
export interface RunState {
  readonly run: PlannedRun;
  readonly state: "finished" | "begun" | "to do";
  /** Wall time of its stages so far. */
  readonly seconds: number;
}

/** How far runs are. */
export async function statesOf(runs: readonly PlannedRun[]): Promise<RunState[]> {
  return await Promise.all(runs.map(async (run) => {
    const folder = await readRunFolder(run.out);
    const seconds = (folder?.stages ?? []).reduce((sum, stage) => sum + stage.seconds, 0);
    return { run, state: folder?.finished ? "finished" : folder ? "begun" : "to do", seconds };
  }));
}

/**
 * Seconds of all runs that are not finished, as finished ones of their method took, or else all. Stages that are done are
 * not counted. Null without finished runs.
 */
export function secondsLeft(states: readonly RunState[]): number | null {
  const finished = states.filter(({ state }) => state === "finished");
  if (finished.length === 0) return null;
  const meanOf = (of: readonly RunState[]) => of.reduce((sum, { seconds }) => sum + seconds, 0) / of.length;
  return states.filter(({ state }) => state !== "finished").reduce((sum, { run, seconds }) => {
    const alike = finished.filter((one) => one.run.method === run.method);
    return sum + Math.max(0, meanOf(alike.length > 0 ? alike : finished) - seconds);
  }, 0);
}

/** Steps that are measured after the first, which waits for kernels to be compiled. */
export const MEASURED = 5;

/**
 * Seconds of a run, by a few of its steps and an evaluation of the test set. A step of fine-tuning is taken to last as long
 * as one of pruning, so that the estimate is high for small models. Nothing is written.
 */
export async function measureRun({ settings }: PlannedRun): Promise<number> {
  const checked = checkedSettings(settings);
  const gpu = await openGpu();
  try {
    using opened = await openRun(checked, { gpu, store: new RunStore(null) });
    const { run, plan, inputs } = opened;
    const stop = new AbortController();
    const journal = await Journal.begin(null, {}, inputs);
    const times: number[] = [];
    const progress = timer(times, stop);
    const timed = {
      ...plan,
      pruning: { ...plan.pruning, progress },
      finetuning: plan.finetuning && { ...plan.finetuning, progress },
    };
    await runPrune(run, timed, { settings: checked.runSettings, journal, signal: stop.signal, command: "" });
    const step = (times.at(-1)! - times[0]!) / Math.max(1, times.length - 1) / 1000;
    const evaluation = journal.stages.find(({ name }) => name === "evaluate dense")!.seconds;
    const phases = [plan.finetuning, ...settings.method === "uniform" ? [] : [plan.pruning]];
    const seconds = (of: readonly { readonly seconds: number }[]) =>
      of.reduce((sum, one) => sum + one.seconds, 0);
    const { dev, test } = run.corpus;
    const devEvaluation = dev ? evaluation * seconds(dev.utterances) / seconds(test.utterances) : 0;
    return phases.reduce((sum, phase) => {
      if (!phase) return sum;
      const evaluations = Math.ceil(phase.steps / (phase.evalEvery ?? phase.steps));
      return sum + phase.steps * step + evaluations * devEvaluation;
    }, 3 * evaluation);
  } finally {
    gpu.destroy();
  }
}

/** Notes when steps end, and stops after a few. */
function timer(times: number[], stop: AbortController): ProgressSink {
  return {
    restart: () => {},
    update: () => {
      times.push(performance.now());
      if (times.length > MEASURED) stop.abort();
    },
    note: () => {},
    end: () => {},
  };
}
