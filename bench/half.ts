/**
 * Measures what f16 GEMM saves: wav2vec2-base with random weights, with f32 and with f16 operands.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import { parseConfig } from "../model/config.ts";
import { randomCheckpoint } from "../model/random.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { alternate, medianOf, type Sample } from "./alternate.ts";
import { BASE, SECONDS } from "./compact_cases.ts";
import { forward } from "./forward.ts";
import type { TitledTable } from "./record.ts";
import { digits } from "./statistics.ts";

/** Cost of the model with one element type. */
export interface TypeCost {
  /** Element type of the GEMM operands. */
  readonly dtype: "f32" | "f16";
  /** Runs over {@linkcode SECONDS} of audio. */
  readonly samples: readonly Sample[];
  /** Bytes of the weights on the device, and peak bytes of all tensors. */
  readonly weights: number;
  readonly peak: number;
}

/** Costs of both types, and how far the logits from f16 are from those from f32. */
export interface HalfResult {
  readonly costs: readonly TypeCost[];
  /** Largest difference of a logit. */
  readonly difference: number;
  /** Largest absolute logit. */
  readonly largest: number;
}

/**
 * Measures both in alternation, each on its own device.
 *
 * @param rounds Runs of each.
 * @throws {TypeError} If the adapter does not support f16.
 */
export async function measureHalf(rounds: number): Promise<HalfResult> {
  const host = randomCheckpoint(parseConfig(await Deno.readTextFile(BASE)), 0, "ctc");
  const types = ["f32", "f16"] as const;
  const gpus = [await openGpu(), await openGpu()];
  try {
    const models = types.map((dtype, i) => new SpeechModel(gpus[i]!, host, dtype === "f16"));
    const weights = gpus.map(({ pool }) => pool.liveBytes);
    const samples = await alternate(models.map((model) => () => forward(model)), rounds);
    const peaks = gpus.map(({ pool }) => pool.peakBytes);
    const [single, half] = [await forward(models[0]!), await forward(models[1]!)];
    return {
      costs: types.map((dtype, i) => ({
        ...{ dtype, samples: samples[i]!, weights: weights[i]!, peak: peaks[i]! },
      })),
      difference: single.reduce((most, x, i) => Math.max(most, Math.abs(x - half[i]!)), 0),
      largest: single.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
    };
  } finally {
    for (const gpu of gpus) gpu.destroy();
  }
}

/** The costs as a table: times as shares of f32's. */
export function halfTables({ costs, difference, largest }: HalfResult): TitledTable[] {
  const [single] = costs as readonly [TypeCost, ...TypeCost[]];
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [{
    title: `wav2vec2-base with random weights, ${SECONDS} s of audio, medians of ${single.samples.length} ` +
      `alternating runs; logits move by ${digits(difference)} at most, where the largest is ${
        digits(largest)
      }`,
    head: ["GEMM from", "time", "CPU time", "weights", "peak of tensors"],
    rows: costs.map(({ dtype, samples, weights, peak }) => [
      dtype,
      ...(["wall", "cpu"] as const).map((key) =>
        `${(100 * medianOf(samples, key) / medianOf(single.samples, key)).toFixed(0)} %`
      ),
      ...[megabytes(weights), megabytes(peak)],
    ]),
  }];
}
