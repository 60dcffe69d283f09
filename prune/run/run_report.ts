import program from "../../deno.json" with { type: "json" };
import { costsOf } from "../../model/costs.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { RunSubset } from "../../train/run_corpus.ts";
import { finetuningCurve, pruningCurve } from "../report/curves.ts";
import type { PruneReport, ReportModel } from "../report/report.ts";
import type { PruneRun } from "./open_run.ts";
import type { PipelineResult } from "./pipeline_options.ts";
import type { RunStore } from "./run_store.ts";
import type { PruneSettings } from "./settings.ts";
import type { Journal } from "./stages.ts";

/** What a report needs besides the model, the utterances and the results. */
export interface FinishedRun {
  readonly gpu: Gpu;
  readonly store: RunStore;
  readonly settings: PruneSettings;
  readonly journal: Journal;
  /** The command line that repeats the run; empty for a run of the library. */
  readonly command: string;
}

/**
 * The report of a run.
 *
 * @param run Model and utterances.
 * @param result Results of the pipeline.
 * @param finished Device, folder, journal and options.
 * @throws {Error} If a file of the run cannot be read; one line.
 */
export async function reportOf(
  run: PruneRun,
  result: PipelineResult,
  { gpu, store, settings, journal, command }: FinishedRun,
): Promise<PruneReport> {
  const { record, units, speed } = result;
  return {
    version: program.version,
    command,
    date: new Date().toISOString(),
    task: run.task,
    base_model: record.base_model,
    data: {
      name: run.corpus.name,
      train: subsetOf(run.corpus.train),
      dev: run.corpus.dev && subsetOf(run.corpus.dev),
      test: { ...subsetOf(run.corpus.test), lengths: result.evaluations[0]!.lengths },
    },
    seed: settings.seed,
    method: record.method,
    round_to: record.round_to,
    constraints: record.constraints,
    models: await modelsOf(run, result, { store, settings }),
    timing: {
      utterances: speed.utterances,
      utterance_seconds: speed.utterance_seconds,
      rounds: speed.rounds,
    },
    pruning: pruningCurve(await store.metrics("prune")),
    finetuning: finetuningCurve(await store.metrics("finetune")),
    units,
    stages: journal.stages,
    adapter: gpu.name,
    versions: {
      espalier: program.version,
      ...typeof Deno !== "undefined" && { deno: Deno.version.deno, v8: Deno.version.v8 },
    },
  };
}

/** Scores, cost and size of the models before pruning, after surgery, and after fine-tuning. */
async function modelsOf(
  run: PruneRun,
  { config, evaluations, speed }: PipelineResult,
  { store, settings }: { store: RunStore; settings: PruneSettings },
): Promise<ReportModel[]> {
  const names = ["dense", settings.method === "none" ? "trained" : "pruned", "fine-tuned"] as const;
  const bytes = [run.model.fileBytes, await store.bytes("compact"), await store.bytes("result")];
  const { seconds } = settings;
  return evaluations.map(({ wer, cer, accuracy, errors }, i) => {
    const counted = i === 0 ? run.model.checkpoint.config : config;
    const { parameters, macs } = costsOf(counted, Math.round(seconds * 16_000));
    return {
      name: names[i]!,
      wer,
      cer,
      accuracy,
      errors,
      parameters,
      macs_per_second: macs / seconds,
      seconds_per_second: speed.seconds_per_second[i === 0 ? 0 : 1]!,
      file_bytes: bytes[i]!,
    };
  });
}

function subsetOf({ subset, utterances }: RunSubset) {
  const seconds = utterances.reduce((sum, { seconds }) => sum + seconds, 0);
  return { subset, utterances: utterances.length, seconds };
}
