/**
 * Measures what f16 GEMM saves: wav2vec2-base with random weights, with f32 and with f16 operands.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import { parseConfig } from "../model/config.ts";
import { randomCheckpoint } from "../model/random.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { measureSpeed } from "../prune/run/measure_speed.ts";
import { BASE } from "./compact_cases.ts";
import type { TitledTable } from "./record.ts";
import { digits } from "./statistics.ts";

const SECONDS = 10;

/** Cost of the model with one element type. */
export interface TypeCost {
  /** Element type of the GEMM operands. */
  readonly dtype: "f32" | "f16";
  /** Time for the audio in seconds. */
  readonly seconds: number;
  /** Bytes of the weights on the device, and peak bytes of all tensors. */
  readonly weights: number;
  readonly peak: number;
}

/**
 * Measures both in alternation, each on its own device.
 *
 * @param rounds Runs of each; the result is the median.
 * @throws {TypeError} If the adapter does not support f16.
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

/** The costs as a table. */
export function halfTables(costs: readonly TypeCost[]): TitledTable[] {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [{
    title: "wav2vec2-base with random weights, 10 s of audio",
    head: ["GEMM from", "time", "weights", "peak of tensors"],
    rows: costs.map(({ dtype, seconds, weights, peak }) => [
      dtype,
      `${digits(seconds)} s`,
      megabytes(weights),
      megabytes(peak),
    ]),
  }];
}
