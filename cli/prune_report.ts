import { costsOf } from "../model/costs.ts";
import { parseConfig } from "../model/config.ts";
import type { Journal } from "../prune/run/stages.ts";
import type { PipelineResult } from "../prune/run/pipeline_options.ts";
import { finetuningCurve, pruningCurve } from "../prune/report/curves.ts";
import type { PruneReport, ReportModel } from "../prune/report/report.ts";
import { readMetrics } from "../train/metrics.ts";
import type { TimedUtterance } from "../data/corpus/durations.ts";
import program from "../deno.json" with { type: "json" };
import { shellWord } from "./long_run.ts";
import type { PruneSettings } from "./prune_options.ts";
import type { PruneRun, RunTools } from "./prune_run.ts";

/** What a report needs besides the model, the utterances and the results. */
export interface FinishedRun extends RunTools {
  readonly journal: Journal;
  /** The options that were given. */
  readonly settings: PruneSettings;
}

/**
 * The report of a run.
 *
 * @param run model and utterances
 * @param result results of the pipeline
 * @param finished device, folder, journal and options
 * @throws {Error} a file of the run cannot be read; one line
 */
export async function reportOf(
  run: PruneRun,
  { evaluations, record, units, speed }: PipelineResult,
  { gpu, out, journal, settings, values }: FinishedRun,
): Promise<PruneReport> {
  const names = ["dense", "pruned", "fine-tuned"] as const;
  const folders = [run.folder, `${out}/run/compact`, out];
  const { seconds } = values;
  const compact = parseConfig(await Deno.readTextFile(`${out}/config.json`), `${out}/config.json`);
  const models = await Promise.all(
    evaluations.map(async ({ wer, cer, accuracy }, i): Promise<ReportModel> => {
      const { parameters, macs } = costsOf(
        i === 0 ? run.checkpoint.config : compact,
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
    command: commandOf(settings),
    date: new Date().toISOString(),
    task: run.task,
    base_model: record.base_model,
    data: {
      name: run.data,
      train: subsetOf(values.subset, run.train),
      dev: run.dev && subsetOf(values["dev-subset"] ?? "dev", run.dev),
      test: subsetOf(run.test.subset, run.test.utterances),
    },
    seed: values.seed,
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

/** The command line that repeats a run. */
function commandOf(settings: PruneSettings): string {
  const words = Object.entries(settings).map(([name, value]) => {
    if (typeof value === "boolean") return value ? `--${name}` : `--no-${name}`;
    return `--${name} ${shellWord(String(value))}`;
  });
  return ["./espalier prune", ...words].join(" ");
}
