/**
 * Measures whether the time of a compact model falls in proportion to its MACs: models with random weights beside the dense
 * ones that they were cut from.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import type { ModelConfig } from "../model/config.ts";
import { costsOf } from "../model/costs.ts";
import { randomCheckpoint } from "../model/random.ts";
import { SpeechModel } from "../model/speech_model.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { alternate, medianOf, type Sample } from "./alternate.ts";
import { type CompactCase, SECONDS } from "./compact_cases.ts";
import { forward } from "./forward.ts";
import type { PeerCase } from "./peers/peer.ts";
import type { TitledTable } from "./record.ts";
import { digits } from "./statistics.ts";

/** Measurement of a compact model. */
export interface CompactTime {
  readonly name: string;
  readonly description: string;
  /** MACs as a share of the dense model's. */
  readonly macs: number;
  /** Runs of the dense model, and of the compact one. */
  readonly dense: readonly Sample[];
  readonly compact: readonly Sample[];
}

const modelOf = (gpu: Gpu, config: ModelConfig) => new SpeechModel(gpu, randomCheckpoint(config, 0, "ctc"));

/** MACs of a compact model as a share of the dense model's. */
export function macShare({ dense, compact }: CompactCase): number {
  const macs = (config: ModelConfig) => costsOf(config, SECONDS * 16_000).macs;
  return macs(compact) / macs(dense);
}

/** Forward passes of a model with random weights on a device of its own, whose memory no other model uses. */
async function onOwnDevice(config: ModelConfig) {
  const gpu = await openGpu();
  const model = modelOf(gpu, config);
  const dispose = () => {
    model[Symbol.dispose]();
    gpu.destroy();
  };
  return { run: () => forward(model), [Symbol.dispose]: dispose };
}

/**
 * Measures compact models, each in alternation with its dense one.
 *
 * @param cases Those with the same dense model are neighbours.
 * @param rounds Runs of each model.
 * @param progress Receives a message before each measurement.
 */
export async function measureCompact(
  cases: readonly CompactCase[],
  rounds: number,
  progress: (text: string) => void,
): Promise<CompactTime[]> {
  const times: CompactTime[] = [];
  let dense: Awaited<ReturnType<typeof onOwnDevice>> | null = null;
  let config: ModelConfig | null = null;
  for (const one of cases) {
    progress(`${one.name}: ${one.description}`);
    if (config !== one.dense) {
      dense?.[Symbol.dispose]();
      [dense, config] = [await onOwnDevice(one.dense), one.dense];
    }
    using compact = await onOwnDevice(one.compact);
    const samples = await alternate([dense!.run, compact.run], rounds);
    const { name, description } = one;
    times.push({ name, description, macs: macShare(one), dense: samples[0]!, compact: samples[1]! });
  }
  dense?.[Symbol.dispose]();
  return times;
}

/** A forward pass of a model with random weights, to profile. */
export function forwardOf(gpu: Gpu, config: ModelConfig): PeerCase {
  const model = modelOf(gpu, config);
  const run = async (repeat: number) => {
    for (let i = 0; i < repeat; i++) await forward(model);
  };
  return { run, dispose: () => model[Symbol.dispose]() };
}

/** The times as a table: shares of the dense model's. */
export function compactTables(times: readonly CompactTime[]): TitledTable[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [{
    title: `Compact models as shares of the dense ones, random weights, ${SECONDS} s of audio, ` +
      `each on a device of its own, medians of ${times[0]!.dense.length} alternating runs`,
    left: [0, 1],
    head: ["case", "model", "MACs", "time", "CPU time", "CPU time / MACs"],
    rows: times.map(({ name, description, macs, dense, compact }) => {
      const [wall, cpu] = (["wall", "cpu"] as const).map((key) =>
        medianOf(compact, key) / medianOf(dense, key)
      );
      return [name, description, percent(macs), percent(wall!), percent(cpu!), digits(cpu! / macs)];
    }),
  }];
}
