/**
 * Measures whether the time of a compact model falls in proportion to its MACs: models with random weights beside the dense
 * ones that they were cut from.
 *
 * @module
 */

import type { ModelConfig } from "../model/config.ts";
import { costsOf } from "../model/costs.ts";
import { randomCheckpoint } from "../model/random.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { measureSpeed } from "../prune/run/measure_speed.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { noGrad } from "../tensor/tape.ts";
import { type CompactCase, SECONDS } from "./compact_cases.ts";
import { uniform } from "./inputs.ts";
import type { PeerCase } from "./peers/peer.ts";
import type { TitledTable } from "./record.ts";
import { digits } from "./statistics.ts";

/** Measurement of a compact model. */
export interface CompactTime {
  readonly name: string;
  readonly description: string;
  /** Seconds of the dense model, and of the compact one. */
  readonly seconds: readonly [dense: number, compact: number];
  /** MACs as a share of the dense model's. */
  readonly macs: number;
  /** Time as a share of the dense model's. */
  readonly time: number;
}

const modelOf = (gpu: Gpu, config: ModelConfig) => new SpeechModel(gpu, randomCheckpoint(config, 0, "ctc"));

/** MACs of a compact model as a share of the dense model's. */
export function macShare({ dense, compact }: CompactCase): number {
  const macs = (config: ModelConfig) => costsOf(config, SECONDS * 16_000).macs;
  return macs(compact) / macs(dense);
}

/**
 * Measures compact models, each in alternation with its dense one.
 *
 * @param gpu Device.
 * @param cases Those with the same dense model are neighbours.
 * @param rounds Runs of each model; the result is the median.
 * @param progress Receives a message before each measurement.
 */
export async function measureCompact(
  gpu: Gpu,
  cases: readonly CompactCase[],
  rounds: number,
  progress: (text: string) => void,
): Promise<CompactTime[]> {
  const times: CompactTime[] = [];
  let dense: SpeechModel | null = null;
  let config: ModelConfig | null = null;
  for (const one of cases) {
    progress(`${one.name}: ${one.description}`);
    if (config !== one.dense) {
      dense?.[Symbol.dispose]();
      [dense, config] = [modelOf(gpu, one.dense), one.dense];
    }
    using compact = modelOf(gpu, one.compact);
    const { seconds_per_second } = await measureSpeed([dense!, compact], { seconds: SECONDS, rounds });
    const seconds = seconds_per_second.map((rate) => rate * SECONDS) as [number, number];
    const { name, description } = one;
    times.push({ name, description, seconds, macs: macShare(one), time: seconds[1] / seconds[0] });
  }
  dense?.[Symbol.dispose]();
  return times;
}

/** One forward pass of a model with random weights over {@linkcode SECONDS} of audio, to profile. */
export function forwardOf(gpu: Gpu, config: ModelConfig): PeerCase {
  const model = modelOf(gpu, config);
  const audio = uniform(SECONDS * 16_000, 1);
  const run = async (repeat: number) => {
    for (let i = 0; i < repeat; i++) {
      const { read } = gpu.scope(() =>
        noGrad(gpu, () => {
          const { logits, hidden } = model.forward({ samples: gpu.tensor(audio, [1, audio.length]) });
          return { read: (logits ?? hidden).read() };
        })
      );
      await read;
    }
  };
  return { run, dispose: () => model[Symbol.dispose]() };
}

/** The times as a table. */
export function compactTables(times: readonly CompactTime[]): TitledTable[] {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [{
    title: `Compact models beside the dense ones, random weights, ${SECONDS} s of audio`,
    left: [0, 1],
    head: ["case", "model", "dense", "compact", "MACs", "time", "time / MACs"],
    rows: times.map(({ name, description, seconds, macs, time }) => [
      ...[name, description],
      ...seconds.map((value) => `${digits(value)} s`),
      ...[percent(macs), percent(time), digits(time / macs)],
    ]),
  }];
}
