import type { TimedUtterance } from "../../data/corpus/durations.ts";
import program from "../../deno.json" with { type: "json" };
import { parseConfig } from "../../model/config.ts";
import { costsOf } from "../../model/costs.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { readMetrics } from "../../train/metrics.ts";
import { finetuningCurve, pruningCurve } from "../report/curves.ts";
import type { PruneReport, ReportModel } from "../report/report.ts";
import type { PruneRun, RunCorpus } from "./open_run.ts";
import type { PipelineResult } from "./pipeline_options.ts";
import type { PruneSettings } from "./settings.ts";
import type { Journal } from "./stages.ts";

/** What a report needs besides the model, the utterances and the results. */
export interface FinishedRun {
  readonly gpu: Gpu;
  /** Output folder. */
  readonly out: string;
  /** Folder of the model that was pruned; null where it has none. */
  readonly folder: string | null;
  readonly corpus: RunCorpus;
  readonly settings: PruneSettings;
  readonly journal: Journal;
  /** The command line that repeats the run. */
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
  { evaluations, record, units, speed }: PipelineResult,
  { gpu, out, folder, corpus, settings, journal, command }: FinishedRun,
): Promise<PruneReport> {
  const names = ["dense", "pruned", "fine-tuned"] as const;
  const folders = [folder, `${out}/run/compact`, out];
  const { seconds } = settings;
  const compact = parseConfig(await Deno.readTextFile(`${out}/config.json`), `${out}/config.json`);
  const models = await Promise.all(
    evaluations.map(async ({ wer, cer, accuracy }, i): Promise<ReportModel> => {
      const { parameters, macs } = costsOf(
        i === 0 ? run.model.checkpoint.config : compact,
        Math.round(seconds * 16_000),
      );
      return {
        name: names[i]!,
        wer,
        cer,
        accuracy,
        parameters,
        macs_per_second: macs / seconds,
        seconds_per_second: speed.seconds_per_second[i === 0 ? 0 : 1]!,
        file_bytes: await Deno.stat(`${folders[i]}/model.safetensors`).then(({ size }) => size, () => null),
      };
    }),
  );
  return {
    version: program.version,
    command,
    date: new Date().toISOString(),
    task: run.task,
    base_model: record.base_model,
    data: {
      name: run.data,
      train: subsetOf(corpus.subset, run.train),
      dev: run.dev && subsetOf(corpus.devSubset ?? "dev", run.dev),
      test: subsetOf(run.test.subset, run.test.utterances),
    },
    seed: settings.seed,
    method: record.method,
    round_to: record.round_to,
    constraints: record.constraints,
    models,
    timing: {
      utterances: speed.utterances,
      utterance_seconds: speed.utterance_seconds,
      rounds: speed.rounds,
    },
    pruning: pruningCurve(await readMetrics(`${out}/run/prune/metrics.jsonl`)),
    finetuning: finetuningCurve(await readMetrics(`${out}/run/finetune/metrics.jsonl`)),
    units,
    stages: journal.stages,
    adapter: gpu.name,
    versions: { espalier: program.version, deno: Deno.version.deno, v8: Deno.version.v8 },
  };
}

function subsetOf(subset: string, utterances: readonly TimedUtterance[]) {
  const seconds = utterances.reduce((sum, { seconds }) => sum + seconds, 0);
  return { subset, utterances: utterances.length, seconds };
}
