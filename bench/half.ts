/**
 * What products of f16 save: wav2vec2-base with random weights, computed from f32 and from f16.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import { parseConfig } from "../model/config.ts";
import { randomCheckpoint } from "../model/random.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { measureSpeed } from "../prune/run/measure_speed.ts";
import { digits } from "./statistics.ts";
import { plain } from "./table.ts";

const BASE = new URL("../recipes/configs/wav2vec2-base.json", import.meta.url);
const SECONDS = 10;

/** The model computed from numbers of one type. */
export interface TypeCost {
  /** What products read. */
  readonly dtype: "f32" | "f16";
  /** Seconds for the audio. */
  readonly seconds: number;
  /** Bytes of the weights on the device, and of all tensors at most. */
  readonly weights: number;
  readonly peak: number;
}

/**
 * Measures both in alternation, each on a device of its own.
 *
 * @param rounds Runs of each, of which the median counts.
 * @throws {TypeError} If the adapter has no f16.
 */
export async function measureHalf(rounds: number): Promise<TypeCost[]> {
  const host = randomCheckpoint(parseConfig(await Deno.readTextFile(BASE)), 0, "ctc");
  const types = ["f32", "f16"] as const;
  const gpus = [await openGpu(), await openGpu()];
  try {
    const models = types.map((dtype, i) => new SpeechModel(gpus[i]!, host, dtype === "f16"));
    const weights = gpus.map(({ pool }) => pool.liveBytes);
    const { seconds_per_second } = await measureSpeed(models, { seconds: SECONDS, rounds });
    return types.map((dtype, i) => ({
      dtype,
      seconds: seconds_per_second[i]! * SECONDS,
      weights: weights[i]!,
      peak: gpus[i]!.pool.peakBytes,
    }));
  } finally {
    for (const gpu of gpus) gpu.destroy();
  }
}

/** The costs for a terminal. */
export function showHalf(costs: readonly TypeCost[]): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return plain({
    head: ["products of", "time", "weights", "tensors at most"],
    rows: costs.map(({ dtype, seconds, weights, peak }) => [
      dtype,
      `${digits(seconds)} s`,
      megabytes(weights),
      megabytes(peak),
    ]),
  });
}
