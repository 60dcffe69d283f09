/**
 * Part `default_run`: `./espalier prune` with its defaults, from the synthesis of the corpus to the report.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import type { PruneReport } from "../../prune/report/report.ts";
import type { RunPhase } from "../../prune/run/run_store.ts";
import { readMetrics } from "../../train/metrics.ts";
import { ROOT } from "../step_modules.ts";
import { digits } from "../statistics.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";

/** A run of `prune`. */
export interface DefaultRun {
  readonly adapter: string;
  /** Seconds from the command to the report. */
  readonly seconds: number;
  /** Options besides the defaults. */
  readonly options: readonly string[];
  /** Steps that were done. */
  readonly steps: { readonly pruning: number; readonly finetuning: number };
  readonly stages: PruneReport["stages"];
  readonly models: readonly {
    readonly name: string;
    /** Word error rate, 0 to 1. */
    readonly wer: number | null;
    readonly macsPerSecond: number;
    readonly secondsPerSecond: number | null;
  }[];
}

/** A few steps with a corpus of a few sentences. */
const QUICK = ["--steps", "4", "--finetune-steps", "2", "--batch-seconds", "4", "--seconds", "1"];
const QUICK_CORPUS = ["--train", "12", "--dev", "2", "--test", "2"];

async function espalier(...words: string[]): Promise<void> {
  const args = ["run", "-A", "--no-check", "--lock=deno.lock", "cli.ts", ...words];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  if (!success) {
    throw new Error(`${words[0]} failed: ${new TextDecoder().decode(stderr).trim().split("\n").at(-1)}`);
  }
}

/** Milliseconds between two looks at how far the run is. */
const LOOK = 5000;

async function stepsOf(run: string): Promise<DefaultRun["steps"]> {
  const count = async (phase: RunPhase) => {
    const records = await readMetrics(`${run}/run/${phase}/metrics.jsonl`).catch(() => []);
    return records.filter(({ loss }) => loss !== undefined).length;
  };
  return { pruning: await count("prune"), finetuning: await count("finetune") };
}

/** Runs it. What is saved meanwhile are the steps done so far. */
export async function measure(
  { quick }: PartRequest,
  save: (result: DefaultRun) => Promise<void>,
): Promise<DefaultRun> {
  const gpu = await openGpu();
  const { name: adapter } = gpu;
  gpu.destroy();
  const folder = await Deno.makeTempDir();
  try {
    const data = `${folder}/corpus`;
    if (quick) await espalier("data", "commands", ...QUICK_CORPUS, "--out", data);
    const options = quick ? ["--model", "assets/commands-tiny", "--data", data, ...QUICK] : [];
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;
    const origin = { adapter, options: quick ? QUICK : [] };
    const run = `${folder}/run`;
    const look = async () => {
      const steps = await stepsOf(run);
      await save({ ...origin, seconds: elapsed(), steps, stages: [], models: [] });
    };
    let looking = Promise.resolve();
    const timer = setInterval(() => looking = look().catch(() => {}), LOOK);
    await espalier("prune", "--quiet", ...options, "--out", run).finally(() => clearInterval(timer));
    await looking; // so that it does not overwrite the result
    const seconds = elapsed();
    const report: PruneReport = JSON.parse(await Deno.readTextFile(`${run}/report.json`));
    return {
      ...{ ...origin, seconds, steps: await stepsOf(run), stages: report.stages },
      models: report.models.map(({ name, wer, macs_per_second, seconds_per_second }) => ({
        name,
        wer: wer?.value ?? null,
        macsPerSecond: macs_per_second,
        secondsPerSecond: seconds_per_second,
      })),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Name of the adapter. */
export const adapter = (run: DefaultRun): string => run.adapter;

const errorRate = (wer: number | null) => wer === null ? "" : `${(100 * wer).toFixed(2)} %`;

/** The run in one line. */
export function summary({ seconds, models, steps: { pruning, finetuning } }: DefaultRun): string {
  if (models.length === 0) {
    return `${digits(seconds)} s, ${pruning} steps of pruning and ${finetuning} of fine-tuning`;
  }
  return `${digits(seconds)} s; ${models.map(({ name, wer }) => `${name} ${errorRate(wer)}`).join(", ")} WER`;
}

/** Stages and models of the run. */
export function tables({ seconds, steps, stages, models, options }: DefaultRun): TitledTable[] {
  const words = ["prune", ...options].join(" ");
  const done = `${steps.pruning} steps of pruning and ${steps.finetuning} of fine-tuning`;
  return [
    {
      title: `\`${words}\`: ${
        digits(seconds)
      } s, with the synthesis of the corpus where it was not cached; ${done}`,
      head: ["stage", "s"],
      rows: stages.map(({ name, seconds }) => [name, digits(seconds)]),
    },
    {
      title: "Its models",
      head: ["model", "WER", "MMACs a second of audio", "ms a second of audio"],
      rows: models.map(({ name, wer, macsPerSecond, secondsPerSecond }) => [
        ...[name, errorRate(wer)],
        ...[digits(macsPerSecond / 1e6), secondsPerSecond === null ? "" : digits(1000 * secondsPerSecond)],
      ]),
    },
  ];
}
