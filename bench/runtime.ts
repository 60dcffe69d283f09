/**
 * Measures a dense and a compact model in several runtimes: this library, onnxruntime-web on the same WebGPU adapter,
 * onnxruntime-node on the CPU, and the pipeline of transformers.js.
 *
 * @module
 */

import { makeRandomModel } from "../cli/random_model.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { folderReader } from "../model/checkpoint/weight_files.ts";
import { type ModelConfig, parseConfig } from "../model/config.ts";
import { encodeConfig } from "../model/config_encode.ts";
import { writeOnnxFolder } from "../model/onnx/write_onnx_folder.ts";
import { medianOf, type Sample } from "./alternate.ts";
import { relativeDifference } from "./compare.ts";
import { BASE, compactAt, SECONDS } from "./compact_cases.ts";
import type { TitledTable } from "./record.ts";
import { RuntimeProcess } from "./runtimes/runtime_process.ts";
import { digits } from "./statistics.ts";

/** Share of the dense model's MACs that the compact one has. */
const COMPACT = 0.5;

/** A runtime whose first run takes longer, in milliseconds, is not run again. */
const TOO_LONG = 60_000;

/** All runtimes; the first one is compared with the others. */
export const RUNTIMES: readonly string[] = ["ours", "onnxruntime-web", "onnxruntime-node", "transformers.js"];

/** Measurement of a model in a runtime. */
export interface RuntimeCost {
  readonly model: string;
  readonly runtime: string;
  /** Where it computes; empty if it failed. */
  readonly device: string;
  readonly loadMs: number;
  /** Runs over the audio. */
  readonly samples: readonly Sample[];
  /** Median time per second of audio in milliseconds. */
  readonly msPerSecond: number;
  /** Median CPU time of its process per second of audio in milliseconds. */
  readonly cpuPerSecond: number;
  /** Peak memory of its process in bytes. */
  readonly bytes: number;
  /** Largest difference of its logits from ours, relative; null if the runtime gives none. */
  readonly difference: number | null;
  /** Why there is no measurement; null if there is one. */
  readonly error: string | null;
}

/** What {@linkcode measureRuntimes} measures. */
export interface RuntimeOptions {
  /** Config of the dense model; default: wav2vec2-base. */
  readonly config?: URL;
  /** Runtimes, ours first; default: all. */
  readonly runtimes?: readonly string[];
  /** Seconds of audio; default: 10. */
  readonly seconds?: number;
  /** Runs of each; the result is the median. */
  readonly rounds: number;
  /** Receives a message before each step. */
  readonly progress: (text: string) => void;
}

/**
 * Measures a model with random weights and a compact model with half of its MACs. Each runtime has a process of its own;
 * they load one after another, run once to warm up, and then in alternation, except one whose first run took a minute.
 */
export async function measureRuntimes(options: RuntimeOptions): Promise<RuntimeCost[]> {
  const { config = BASE, progress } = options;
  const base = JSON.parse(await Deno.readTextFile(config)) as Record<string, unknown>;
  const models = {
    dense: parseConfig(JSON.stringify(base)),
    compact: compactAt(base, COMPACT, 8).config,
  };
  const costs: RuntimeCost[] = [];
  for (const [model, config] of Object.entries(models)) {
    const folder = await Deno.makeTempDir({ prefix: "espalier-bench-" });
    try {
      progress(`${model}: export`);
      await writeModel(folder, config);
      costs.push(...await measureModel(model, folder, options));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }
  return costs;
}

/** Writes a random model to `model`, and its ONNX to `onnx`. */
async function writeModel(folder: string, config: ModelConfig): Promise<void> {
  await Deno.writeTextFile(`${folder}/config.json`, encodeConfig(config));
  const path = `${folder}/model`;
  await makeRandomModel({ config: `${folder}/config.json`, out: path, seed: 0, head: "ctc" });
  const checkpoint = await readCheckpoint(path);
  await writeOnnxFolder(`${folder}/onnx`, { checkpoint, read: folderReader(path), name: path });
}

interface Measuring {
  readonly runtime: string;
  readonly samples: Sample[];
  process: RuntimeProcess | null;
  logits: Float32Array | null;
  bytes: number;
  error: string | null;
}

async function measureModel(
  model: string,
  folder: string,
  { runtimes = RUNTIMES, seconds = SECONDS, rounds, progress }: RuntimeOptions,
): Promise<RuntimeCost[]> {
  const all = runtimes.map((runtime): Measuring => ({
    ...{ runtime, samples: [], process: null, logits: null, bytes: 0, error: null },
  }));
  const forEach = async (stage: string, work: (one: Measuring) => Promise<void>) => {
    for (const one of all) {
      if (one.error !== null) continue;
      progress(`${model}: ${one.runtime} ${stage}`);
      await work(one).catch((error) => void (one.error = error.message));
    }
  };
  try {
    await forEach("loads", async (one) => {
      one.process = await RuntimeProcess.start(one.runtime, folder, seconds * 16_000);
    });
    await forEach("warms up", async (one) => {
      const { ms, cpu, bytes, logits } = await one.process!.run();
      one.logits = logits && Float32Array.from(logits);
      if (ms <= TOO_LONG) return;
      one.samples.push({ wall: ms, cpu });
      one.bytes = bytes;
    });
    for (let round = 1; round <= rounds; round++) {
      await forEach(`round ${round} of ${rounds}`, async (one) => {
        if (one.samples.some(({ wall }) => wall > TOO_LONG)) return;
        const { ms, cpu, bytes } = await one.process!.run();
        one.samples.push({ wall: ms, cpu });
        one.bytes = bytes;
      });
    }
  } finally {
    for (const { process } of all) await process?.end();
  }
  const ours = all[0]!.logits!;
  return all.map(({ runtime, samples, process, logits, bytes, error }) => ({
    model,
    runtime,
    samples,
    device: process?.device ?? "",
    loadMs: process?.loadMs ?? NaN,
    msPerSecond: error === null ? medianOf(samples, "wall") / seconds : NaN,
    cpuPerSecond: error === null ? medianOf(samples, "cpu") / seconds : NaN,
    bytes,
    difference: logits && ours && relativeDifference(ours, logits),
    error,
  }));
}

/** The costs as a table. @param title What was measured. */
export function runtimeTables(title: string, costs: readonly RuntimeCost[]): TitledTable[] {
  return [{
    title,
    left: [0, 1, 2],
    head: [
      "model",
      "runtime",
      "on",
      "load",
      "ms a second of audio",
      "of CPU time",
      "peak memory",
      "difference of logits",
    ],
    rows: costs.map((
      { model, runtime, device, loadMs, msPerSecond, cpuPerSecond, bytes, difference, error },
    ) => [
      ...[model, runtime],
      ...error !== null ? [error.slice(0, 60)] : [
        device,
        `${(loadMs / 1000).toFixed(2)} s`,
        digits(msPerSecond),
        digits(cpuPerSecond),
        `${(bytes / 1e6).toFixed(0)} MB`,
        difference === null ? "" : difference.toExponential(1),
      ],
    ]),
  }];
}
