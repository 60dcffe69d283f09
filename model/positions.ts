import { batchNorm } from "../kernels/batch_norm.ts";
import { gelu } from "../kernels/gelu.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { maskFrames } from "../kernels/mask_frames.ts";
import { positionalConv } from "../kernels/positional_conv.ts";
import { weightNorm } from "../kernels/weight_norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ForwardContext } from "./forward_context.ts";
import { hasPositionalStack } from "./parameter_specs.ts";
import type { Weights } from "./weights.ts";

/** Epsilon of the norms between positional convolutions. `transformers` ignores `layer_norm_eps` here. */
const STACK_EPS = 1e-5;

/**
 * The positional embedding: a grouped convolution over time with weight norm, or after a batch norm, then GELU. In data2vec: several convolutions, each
 * with a layer norm that has no weights, and GELU.
 *
 * @param context The forward context.
 * @param x Projected features, [B, T, d], with padding frames zeroed.
 * @returns What is added to them, [B, T, d].
 */
export function positions(context: ForwardContext, x: Tensor): Tensor {
  const y = hasPositionalStack(context.config) ? stack(context, x) : convolution(context, x);
  context.observe("pos_conv", y);
  return y;
}

function convolution(context: ForwardContext, x: Tensor): Tensor {
  const { config, weights } = context;
  const name = "encoder.pos_conv_embed.conv";
  const options = { groups: config.num_conv_pos_embedding_groups, gelu: true };
  if (config.conv_pos_batch_norm) {
    const { w, b } = weights.layer(name);
    return positionalConv(withoutPadding(context, normed(weights, x)), w, b, options);
  }
  const v = weights.find(`${name}.weight_v`) ?? weights.get(`${name}.parametrizations.weight.original1`);
  const g = weights.find(`${name}.weight_g`) ?? weights.get(`${name}.parametrizations.weight.original0`);
  const w = weights.cached(name, [v, g], () => weightNorm(v, g));
  return positionalConv(x, w, weights.find(`${name}.bias`), options);
}

/** Batch norm with the running statistics, in training too. */
function normed(weights: Weights, x: Tensor): Tensor {
  const name = "encoder.pos_conv_embed.batch_norm";
  const { w, b } = weights.norm(name);
  const [mean, variance] = [weights.get(`${name}.running_mean`), weights.get(`${name}.running_var`)];
  return batchNorm(x, w, b, { mean, variance });
}

function stack(context: ForwardContext, x: Tensor): Tensor {
  const { weights, plainNorm: norm } = context;
  const { num_conv_pos_embeddings: layers, num_conv_pos_embedding_groups: groups } = context.config;
  let y = x;
  for (let i = 0; i < layers; i++) {
    const { w, b } = weights.layer(`encoder.pos_conv_embed.layers.${i}.conv`);
    y = positionalConv(y, w, b, { groups });
    y = gelu(layerNorm(y, norm!.w, norm!.b, { eps: STACK_EPS }));
    if (i < layers - 1) y = withoutPadding(context, y);
  }
  return y;
}

/**
 * Zeroes padding frames, which a convolution over them would read, where the result must not depend on padding. Published models
 * do not.
 */
function withoutPadding({ normLengths, frameLengths }: ForwardContext, x: Tensor): Tensor {
  return normLengths && frameLengths ? maskFrames(x, frameLengths) : x;
}
