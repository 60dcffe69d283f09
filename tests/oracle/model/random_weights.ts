import { type Nd, nd, randomNd, sizeOf } from "../nd.ts";
import { hasSublayers, layerSizes, type ModelConfig, prefixOf } from "./config.ts";

/** Head of a model: CTC, sequence classification, or none. */
export type HeadKind = "ctc" | "classification" | null;

/**
 * Seeded weights of every tensor of a model under its published name and shape, such that activations stay near 1;
 * each is a float32 value. Convolutions have a bias if `conv_bias` is true; the weight norm of the
 * positional convolution is stored as `weight_g` and `weight_v`.
 */
export function randomWeights(config: ModelConfig, head: HeadKind, seed: number): Map<string, Nd> {
  const weights = new Map<string, Nd>();
  const add = (name: string, shape: number[], spread: number, mean = 0) => {
    const x = randomNd(shape, 1000 * seed + weights.size, spread);
    weights.set(name, nd(shape, x.data.map((v) => Math.fround(mean + v))));
  };
  const bias = (name: string, n: number) => add(`${name}.bias`, [n], 0.2);
  const linear = (name: string, outputs: number, inputs: number) => {
    add(`${name}.weight`, [outputs, inputs], 1 / Math.sqrt(Math.max(1, inputs)));
    bias(name, outputs);
  };
  const norm = (name: string, n: number) => {
    add(`${name}.weight`, [n], 0.2, 1);
    bias(name, n);
  };
  const { conv_dim, conv_kernel, hidden_size: d, num_conv_pos_embeddings: taps } = config;
  const prefix = prefixOf(config);
  if ((config.mask_time_prob ?? 0) > 0 || (config.mask_feature_prob ?? 0) > 0) {
    add(`${prefix}masked_spec_embed`, [d], 1);
  }
  conv_dim.forEach((outputs, i) => {
    const name = `${prefix}feature_extractor.conv_layers.${i}`;
    const shape = [outputs, i === 0 ? 1 : conv_dim[i - 1]!, conv_kernel[i]!];
    add(`${name}.conv.weight`, shape, Math.sqrt(2 / sizeOf(shape.slice(1))));
    if (config.conv_bias) bias(`${name}.conv`, outputs);
    if (config.feat_extract_norm === "layer" || i === 0) norm(`${name}.layer_norm`, outputs);
  });
  const features = conv_dim.at(-1)!;
  if (config.feature_scale) add(`${prefix}feature_extractor.dummy_weight`, [features], 0.4, 1);
  if (config.feat_proj_layer_norm ?? true) norm(`${prefix}feature_projection.layer_norm`, features);
  linear(`${prefix}feature_projection.projection`, d, features);

  const width = d / config.num_conv_pos_embedding_groups;
  if (config.model_type === "data2vec-audio") {
    const kernel = config.conv_pos_kernel_size ?? 19;
    for (let i = 0; i < taps; i++) {
      const name = `${prefix}encoder.pos_conv_embed.layers.${i}.conv`;
      add(`${name}.weight`, [d, width, kernel], 1 / Math.sqrt(width * kernel));
      bias(name, d);
    }
  } else if (config.conv_pos_batch_norm) {
    const name = `${prefix}encoder.pos_conv_embed`;
    norm(`${name}.batch_norm`, d);
    add(`${name}.batch_norm.running_mean`, [d], 0.3);
    add(`${name}.batch_norm.running_var`, [d], 0.1, 1);
    add(`${name}.conv.weight`, [d, width, taps], 1 / Math.sqrt(width * taps));
    bias(`${name}.conv`, d);
  } else {
    const conv = `${prefix}encoder.pos_conv_embed.conv`;
    bias(conv, d);
    add(`${conv}.weight_g`, [1, 1, taps], 0.2 * Math.sqrt(d / taps), Math.sqrt(d / taps));
    add(`${conv}.weight_v`, [d, width, taps], 1);
  }
  norm(`${prefix}encoder.layer_norm`, d);
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const { heads, width, units, allHeads } = layerSizes(config, i);
    const name = `${prefix}encoder.layers.${i}`;
    const { attention: attends, feedForward } = hasSublayers(config, i);
    if (attends) {
      for (const which of ["k", "v", "q"]) linear(`${name}.attention.${which}_proj`, heads * width, d);
      linear(`${name}.attention.out_proj`, d, heads * width);
    }
    if (attends && config.model_type === "wavlm") {
      add(`${name}.attention.gru_rel_pos_const`, [1, allHeads, 1, 1], 0.3, 1);
      linear(`${name}.attention.gru_rel_pos_linear`, 8, width);
      if (i === 0) add(`${name}.attention.rel_attn_embed.weight`, [config.num_buckets ?? 320, allHeads], 1);
    }
    norm(`${name}.layer_norm`, d);
    if (feedForward) {
      linear(`${name}.feed_forward.intermediate_dense`, units, d);
      linear(`${name}.feed_forward.output_dense`, d, units);
    }
    norm(`${name}.final_layer_norm`, d);
    if (config.adapter_attn_dim) {
      norm(`${name}.adapter_layer.norm`, d);
      linear(`${name}.adapter_layer.linear_1`, config.adapter_attn_dim, d);
      linear(`${name}.adapter_layer.linear_2`, d, config.adapter_attn_dim);
    }
  }
  if (head === "ctc") linear("lm_head", config.vocab_size ?? 32, d);
  if (head === "classification") {
    const width = config.classifier_proj_size ?? 256;
    if (config["use_weighted_layer_sum"]) add("layer_weights", [config.num_hidden_layers + 1], 1);
    linear("projector", width, d);
    linear("classifier", config.num_labels ?? 2, width);
  }
  return weights;
}
