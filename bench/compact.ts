/**
 * Measures whether the time of a compact model falls in proportion to its MACs: wav2vec2-base with random weights beside
 * models with a share of its MACs removed, most of it from the convolutions, as `mac` does.
 *
 * @module
 */

import { parseConfig } from "../model/config.ts";
import { costsOf } from "../model/costs.ts";
import { randomCheckpoint } from "../model/random.ts";
import { SpeechModel } from "../model/speech_model.ts";
import { measureSpeed } from "../prune/run/measure_speed.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { digits } from "./statistics.ts";
import { plain } from "./table.ts";

/** Config of wav2vec2-base. */
export const BASE = new URL("../recipes/configs/wav2vec2-base.json", import.meta.url);
const SECONDS = 10;

/** Shares of the MACs to remove. */
const TARGETS = [0.3, 0.5, 0.7];

/** Share removed from each convolution, relative to the average group. */
const CONV = [1.3, 1.25, 1.15, 1.05, 1, 0.9, 0.7];

/** The same for the heads and feed-forward units of layer `j`. */
const heads = (j: number) => 1 + 0.5 * Math.sin(2 * j);
const ffn = (j: number) => 0.75 + 0.04 * j;

/** Measurement of a compact model. */
export interface CompactTime {
  /** Widths of convolutions and feed-forward layers are multiples of this. */
  readonly multiple: number;
  /** MACs as a share of the dense model's. */
  readonly macs: number;
  /** Time as a share of the dense model's. */
  readonly time: number;
}

/** The config of a compact model. @param loss Share of units that the average group loses. */
function compactConfig(base: Record<string, unknown>, loss: number, multiple: number) {
  const kept = (units: number, weight: number, step: number) => {
    const share = Math.min(1, Math.max(0.02, 1 - loss * weight));
    return Math.max(step, Math.round(units * share / step) * step);
  };
  const layers = Array.from({ length: base.num_hidden_layers as number }, (_, j) => j);
  return {
    ...base,
    head_dim: 64,
    conv_dim: (base.conv_dim as number[]).map((channels, i) => kept(channels, CONV[i]!, multiple)),
    num_attention_heads: layers.map((j) => kept(base.num_attention_heads as number, heads(j), 1)),
    intermediate_size: layers.map((j) => kept(base.intermediate_size as number, ffn(j), multiple)),
  };
}

/** The compact model whose MACs are closest to a share of the dense model's, by bisection. */
export function compactAt(base: Record<string, unknown>, share: number, multiple: number) {
  const samples = SECONDS * 16_000;
  const dense = costsOf(parseConfig(JSON.stringify(base)), samples).macs;
  let [low, high] = [0, 1];
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2;
    const config = parseConfig(JSON.stringify(compactConfig(base, middle, multiple)));
    if (costsOf(config, samples).macs / dense > share) low = middle;
    else high = middle;
  }
  const config = parseConfig(JSON.stringify(compactConfig(base, high, multiple)));
  return { config, macs: costsOf(config, samples).macs / dense };
}

/**
 * Measures compact models, each in alternation with the dense one.
 *
 * @param gpu Device.
 * @param rounds Runs of each model; the result is the median.
 * @param progress Receives a message before each measurement.
 */
export async function measureCompact(
  gpu: Gpu,
  rounds: number,
  progress: (text: string) => void,
): Promise<CompactTime[]> {
  const base = JSON.parse(await Deno.readTextFile(BASE)) as Record<string, unknown>;
  using dense = new SpeechModel(gpu, randomCheckpoint(parseConfig(JSON.stringify(base)), 0, "ctc"));
  const times: CompactTime[] = [];
  for (const multiple of [8, 1]) {
    for (const target of TARGETS) {
      const { config, macs } = compactAt(base, 1 - target, multiple);
      progress(`wav2vec2-base with ${100 * target} % removed, widths in multiples of ${multiple}`);
      using compact = new SpeechModel(gpu, randomCheckpoint(config, 0, "ctc"));
      const { seconds_per_second: [whole, part] } = await measureSpeed([dense, compact], {
        seconds: SECONDS,
        rounds,
      });
      times.push({ multiple, macs, time: part! / whole! });
    }
  }
  return times;
}

/** The times as a table for a terminal. */
export function compactTable(times: readonly CompactTime[]): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return plain({
    head: ["widths", "MACs", "time", "time / MACs"],
    rows: times.map(({ multiple, macs, time }) => [
      multiple === 1 ? "any" : `multiples of ${multiple}`,
      percent(macs),
      percent(time),
      digits(time / macs),
    ]),
  });
}
