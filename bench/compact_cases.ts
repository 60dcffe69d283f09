/**
 * The compact models that `bench --compact` measures, each with the dense model that it was cut from.
 *
 * @module
 */

import { LARGE } from "./large.ts";
import { type ModelConfig, parseConfig } from "../model/config.ts";
import { costsOf } from "../model/costs.ts";

/** A compact model and its dense one, with random weights. */
export interface CompactCase {
  readonly name: string;
  /** What the compact model is. */
  readonly description: string;
  readonly dense: ModelConfig;
  readonly compact: ModelConfig;
}

/** Seconds of audio. */
export const SECONDS = 10;

/** Config of wav2vec2-base. */
export const BASE = new URL("../recipes/configs/wav2vec2-base.json", import.meta.url);
const WAVLM = new URL("../recipes/configs/wavlm-base.json", import.meta.url);

/** Shares of the MACs to remove. */
const TARGETS = [0.3, 0.5, 0.7];

/** Share removed from each convolution, relative to the average group. */
const CONV = [1.3, 1.25, 1.15, 1.05, 1, 0.9, 0.7];

/** The same for the heads and feed-forward units of layer `j`. */
const heads = (j: number) => 1 + 0.5 * Math.sin(2 * j);
const ffn = (j: number) => 0.75 + 0.04 * j;

/** The config of a compact model. @param loss Share of units that the average group loses. */
function compactConfig(base: Record<string, unknown>, loss: number, multiple: number) {
  const kept = (units: number, weight: number, step: number) => {
    const share = Math.min(1, Math.max(0.02, 1 - loss * weight));
    return Math.max(step, Math.round(units * share / step) * step);
  };
  const layers = Array.from({ length: base.num_hidden_layers as number }, (_, j) => j);
  return {
    ...base,
    head_dim: (base.hidden_size as number) / (base.num_attention_heads as number),
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

/** Channels, heads and feed-forward units of a published model, by layer. */
interface Widths {
  readonly conv: readonly number[];
  readonly heads: readonly number[];
  readonly units: readonly number[];
}

/** DiariZen's WavLM Base+ at 80 %: https://huggingface.co/BUT-FIT/diarizen-wavlm-base-s80-md. */
const DIARIZEN_BASE: Widths = {
  conv: [90, 161, 173, 181, 351, 155, 137],
  heads: [2, 3, 3, 5, 2, 1, 4, 4, 0, 0, 2, 1],
  units: [666, 660, 649, 1080, 237, 299, 437, 573, 53, 80, 211, 334],
};

/** DiariZen's WavLM Large at 80 %: https://huggingface.co/BUT-FIT/diarizen-wavlm-large-s80-md. */
const DIARIZEN_LARGE: Widths = {
  conv: [512, 153, 224, 255, 302, 368, 211],
  heads: [5, 3, 6, 6, 5, 5, 3, 5, 4, 0, 2, 4, 0, 3, 2, 1, 0, 0, 1, 2, 6, 9, 10, 8],
  units: [
    ...[1092, 925, 759, 646, 745, 615, 684, 958, 286, 294, 406, 377],
    ...[463, 542, 298, 236, 96, 104, 134, 211, 473, 1011, 1770, 1316],
  ],
};

/** A model with given widths; a layer without heads has no attention. The heads that remain are the first ones. */
function withWidths(base: Record<string, unknown>, { conv, heads, units }: Widths): ModelConfig {
  return parseConfig(JSON.stringify({
    ...base,
    head_dim: 64,
    conv_dim: conv,
    num_attention_heads: heads,
    remaining_heads: heads.map((n) => Array.from({ length: n }, (_, head) => head)),
    use_attention: heads.map((n) => n > 0),
    intermediate_size: units,
  }));
}

/** All cases; those with the same dense model are neighbours. */
export async function compactCases(): Promise<CompactCase[]> {
  const read = async (url: URL) => JSON.parse(await Deno.readTextFile(url)) as Record<string, unknown>;
  const [base, wavlm] = [await read(BASE), await read(WAVLM)];
  const dense = parseConfig(JSON.stringify(base));
  const cut = [8, 1].flatMap((multiple) =>
    TARGETS.map((target): CompactCase => ({
      name: `base_${100 * target}_${multiple === 1 ? "any" : `by_${multiple}`}`,
      description: `wav2vec2-base, widths ${multiple === 1 ? "any" : `multiples of ${multiple}`}`,
      dense,
      compact: compactAt(base, 1 - target, multiple).config,
    }))
  );
  const published = (name: string, description: string, whole: Record<string, unknown>, widths: Widths) => ({
    ...{ name, description },
    dense: parseConfig(JSON.stringify(whole)),
    compact: withWidths(whole, widths),
  });
  return [
    ...cut,
    published("diarizen_base", "WavLM Base+, widths of DiariZen", wavlm, DIARIZEN_BASE),
    published("diarizen_large", "WavLM Large, widths of DiariZen", { ...wavlm, ...LARGE }, DIARIZEN_LARGE),
  ];
}
