// Parameters and multiply–accumulates (MACs) of a model as functions of its unit counts. Counts may be fractional: since gates
// are independent, expected counts give expected costs. Norms, softmax, activations and table look-ups count no MACs, and
// the head is not pruned and not counted.

import type { HeadKind, ModelConfig } from "./config.ts";
import { hasConvNorm, hasPositionalStack } from "./parameter_specs.ts";

/** Cost of a module. */
export interface Cost {
  /** Number of parameters. */
  readonly parameters: number;
  /** Multiply–accumulates for one utterance. */
  readonly macs: number;
}

/** A module and its cost. */
export interface CostRow extends Cost {
  /** Published name without prefix, equal to the `group` of its tensors. */
  readonly name: string;
  /** Number of channels, heads or feed-forward units; null if the module cannot be pruned. */
  readonly units: number | null;
}

/** Cost of a model: the sum of its rows. */
export interface Costs extends Cost {
  /** Modules in the order of the model. */
  readonly rows: readonly CostRow[];
}

/** Number of units per layer, whole or expected. */
export interface UnitCounts {
  /** Channels of every convolution. */
  readonly conv: readonly number[];
  /** Heads of every layer. */
  readonly heads: readonly number[];
  /** Feed-forward units of every layer. */
  readonly ffn: readonly number[];
}

/** Options of {@linkcode costsOf}. */
export interface CostOptions {
  /** Unit counts; default: those of the config. */
  readonly units?: UnitCounts;
}

/**
 * Number of frames after every convolution: T_i = ⌊(T_{i−1} − K_i)/stride_i⌋ + 1, at least 0.
 *
 * @param config Architecture.
 * @param samples Length S of an utterance, in samples.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { convFrames } from "./costs.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * convFrames(config, 16000); // [3199, 1599, 799, 399, 199, 99, 49]
 * ```
 */
export function convFrames(config: ModelConfig, samples: number): number[] {
  let frames = samples;
  return config.conv_kernel.map((kernel, i) => {
    return frames = Math.max(0, Math.floor((frames - kernel) / config.conv_stride[i]!) + 1);
  });
}

/** Cost of convolution `i` with its norm and scale, from C_{i−1} to C_i channels, over T_i frames. */
export function convCost(
  config: ModelConfig,
  i: number,
  inputs: number,
  outputs: number,
  frames: number,
): Cost {
  const weights = inputs * outputs * config.conv_kernel[i]!;
  const scale = config.feature_scale && i === config.conv_dim.length - 1 ? 1 : 0;
  const perChannel = (config.conv_bias ? 1 : 0) + (hasConvNorm(config, i) ? 2 : 0) + scale;
  return { parameters: weights + perChannel * outputs, macs: frames * weights };
}

/** Cost of the feature projection with its norm, from C channels, over T frames. */
export function projectionCost(config: ModelConfig, channels: number, frames: number): Cost {
  const d = config.hidden_size;
  const norm = config.feat_proj_layer_norm ? 2 * channels : 0;
  return { parameters: norm + (channels + 1) * d, macs: frames * channels * d };
}

/** Cost of the positional convolutions over T frames. */
export function positionalCost(config: ModelConfig, frames: number): Cost {
  const { hidden_size: d, num_conv_pos_embeddings: taps, num_conv_pos_embedding_groups: groups } = config;
  const perTap = d * (d / groups);
  if (hasPositionalStack(config)) {
    const weights = config.num_conv_pos_embeddings * config.conv_pos_kernel_size * perTap;
    return { parameters: weights + config.num_conv_pos_embeddings * d, macs: frames * weights };
  }
  const weights = taps * perTap;
  const norm = config.conv_pos_batch_norm ? 2 * d : taps;
  return { parameters: weights + norm + d, macs: frames * weights };
}

/** Cost of attention with `heads` heads over T frames, with its layer norm, and for WavLM with the gated position bias. */
export function attentionCost(config: ModelConfig, layer: number, heads: number, frames: number): Cost {
  const { hidden_size: d, head_dim, num_buckets } = config;
  if (!config.use_attention[layer]) return { parameters: 2 * d, macs: 0 };
  const width = heads * head_dim;
  const dense = d / head_dim;
  const gated = config.model_type === "wavlm";
  const biased = gated && config.use_attention[0]; // layer 0 has the embeddings of positions
  const gates = gated ? 8 * (head_dim + 1) + dense + (layer === 0 ? num_buckets * dense : 0) : 0;
  return {
    parameters: 3 * (d + 1) * width + (width + 1) * d + gates + 2 * d,
    macs: 4 * frames * width * d + 2 * frames * frames * width + (biased ? 8 * frames * width : 0),
  };
}

/** Cost of a feed-forward block with `units` units over T frames, with its layer norm. */
export function feedForwardCost(config: ModelConfig, layer: number, units: number, frames: number): Cost {
  const d = config.hidden_size;
  if (!config.use_feed_forward[layer]) return { parameters: 2 * d, macs: 0 };
  return { parameters: (d + 1) * units + (units + 1) * d + 2 * d, macs: 2 * frames * d * units };
}

/** Cost of the adapter of a layer over T frames, with its layer norm. */
function adapterCost({ hidden_size: d, adapter_attn_dim }: ModelConfig, frames: number): Cost {
  const width = adapter_attn_dim ?? 0;
  return { parameters: 2 * d + (d + 1) * width + (width + 1) * d, macs: 2 * frames * d * width };
}

/**
 * Parameters and MACs of every module of a model, without the head, and without the embedding of masked frames, which only
 * training uses: the same whether a model is trained with masks or not.
 *
 * @param config Architecture, dense or compact.
 * @param samples Length S of the utterance that MACs are counted for, in samples.
 * @param options Unit counts other than the config's.
 *
 * @example
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { costsOf } from "./costs.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * const { parameters, macs } = costsOf(config, 10 * 16000);
 * console.log(parameters, macs / 1e9); // 94370944 74.06…
 * ```
 */
export function costsOf(config: ModelConfig, samples: number, options: CostOptions = {}): Costs {
  const { units = unitCounts(config) } = options;
  const { conv, heads, ffn } = units;
  const d = config.hidden_size;
  const frames = convFrames(config, samples);
  const last = frames.at(-1)!;
  const rows: CostRow[] = [];
  const add = (name: string, cost: Cost, count: number | null = null) =>
    rows.push({ name, ...cost, units: count });

  conv.forEach((channels, i) => {
    const cost = convCost(config, i, conv[i - 1] ?? 1, channels, frames[i]!);
    add(`feature_extractor.conv_layers.${i}`, cost, channels);
  });
  add("feature_projection", projectionCost(config, conv.at(-1)!, last));
  add("encoder.pos_conv_embed", positionalCost(config, last));
  add("encoder.layer_norm", { parameters: 2 * d, macs: 0 });
  heads.forEach((count, j) => {
    const layer = `encoder.layers.${j}`;
    add(`${layer}.attention`, attentionCost(config, j, count, last), count);
    add(`${layer}.feed_forward`, feedForwardCost(config, j, ffn[j]!, last), ffn[j]!);
    if (config.adapter_attn_dim !== null) add(`${layer}.adapter_layer`, adapterCost(config, last));
  });
  const sum = (of: keyof Cost) => rows.reduce((total, row) => total + row[of], 0);
  return { rows, parameters: sum("parameters"), macs: sum("macs") };
}

/** Unit counts of a config. */
export function unitCounts(config: ModelConfig): UnitCounts {
  return { conv: config.conv_dim, heads: config.num_attention_heads, ffn: config.intermediate_size };
}

/** Cost of the head, which {@linkcode costsOf} leaves out. CTC and the projector of a classifier run on every frame. */
export function headCost(config: ModelConfig, head: HeadKind, samples: number): Cost {
  const { hidden_size: d, vocab_size, classifier_proj_size: p, id2label } = config;
  const frames = convFrames(config, samples).at(-1)!;
  if (head === "ctc") return { parameters: (d + 1) * vocab_size, macs: frames * d * vocab_size };
  if (head === "none") return { parameters: 0, macs: 0 };
  const labels = id2label.length;
  const states = config.use_weighted_layer_sum ? config.num_hidden_layers + 1 : 0;
  return { parameters: (d + 1) * p + (p + 1) * labels + states, macs: frames * d * p + p * labels };
}
