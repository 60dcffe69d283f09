import { conv1d } from "../kernels/conv1d.ts";
import { gate as applyGate } from "../kernels/gate.ts";
import { gelu } from "../kernels/gelu.ts";
import { groupNorm } from "../kernels/group_norm.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { linear } from "../kernels/linear.ts";
import { maskEmbedding } from "../kernels/mask_embedding.ts";
import { indexSelect } from "../kernels/index_select.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { drop } from "./dropouts.ts";
import { FEATURE_SCALE } from "./parameter_specs.ts";
import type { ForwardContext } from "./forward_context.ts";

/** Epsilon of the norms between convolutions. `transformers` ignores `layer_norm_eps` here. */
const CONV_EPS = 1e-5;

/**
 * The convolutional feature encoder: convolution without padding → norm → GELU → gate, per layer. `feat_extract_norm` decides
 * the norm: over time per channel, after the first convolution only (`group`), or over channels after each (`layer`). Where
 * the model has one, a scale of each channel follows the last convolution.
 *
 * @param context The forward context.
 * @param samples Normalised audio, [B, S].
 * @returns Features, [B, T, C], where C is the width of the last convolution.
 */
export function encodeFeatures(context: ForwardContext, samples: Tensor): Tensor {
  let x = samples.view([...samples.shape, 1]);
  for (let i = 0; i < context.config.conv_dim.length; i++) {
    x = context.checkpoint(x, (x) => convolve(context, i, x));
    if (context.observes(`conv.${i}`)) {
      context.observe(`conv.${i}`, withoutPadding(x, context.config.conv_dim[i]!));
    }
  }
  const scale = context.weights.find(FEATURE_SCALE);
  return scale ? context.applyAndFree(x, (x) => applyGate(x, scale)) : x;
}

/** Drops the channels that pad the width on the device. */
function withoutPadding(x: Tensor, channels: number): Tensor {
  return x.shape.at(-1) === channels ? x : indexSelect(x, 2, Array.from({ length: channels }, (_, c) => c));
}

/** One convolution with its norm, GELU and gate. */
function convolve(context: ForwardContext, i: number, input: Tensor): Tensor {
  const { config, weights, gates } = context;
  const name = `feature_extractor.conv_layers.${i}`;
  const { w, b } = weights.layer(`${name}.conv`);
  const stride = config.conv_stride[i]!;
  const z = gates?.conv[i] ?? null;
  // The gate of the last convolution follows the norm of the feature projection, if there is one.
  const last = i === config.conv_dim.length - 1;
  const gate = last && config.feat_proj_layer_norm !== false ? null : z;
  if (!weights.has(`${name}.layer_norm.weight`)) {
    // The output of the last convolution goes to a norm or to the projection, which read f32.
    const dtype = last || context.observes(`conv.${i}`) ? "f32" : context.activationDtype;
    return context.applyAndFree(input, (x) => conv1d(x, w, b, { stride, gelu: true, gate, dtype }));
  }
  const norm = weights.norm(`${name}.layer_norm`);
  let x = context.applyAndFree(input, (x) => conv1d(x, w, b, { stride }));
  if (config.feat_extract_norm === "group") {
    const options = { eps: CONV_EPS, lengths: context.normLengths, gelu: true, gate };
    return context.applyAndFree(x, (x) => groupNorm(x, norm.w, norm.b, options));
  }
  x = context.applyAndFree(
    x,
    (x) => layerNorm(x, norm.w, norm.b, { eps: CONV_EPS, open: context.openChannels[i]! }),
  );
  x = context.applyAndFree(x, gelu);
  return gate ? context.applyAndFree(x, (x) => applyGate(x, gate)) : x;
}

/**
 * The feature projection: layer norm over the open channels → gate → linear. In training, frames masked by SpecAugment
 * (arXiv 1904.08779) become the mask embedding.
 *
 * @param context The forward context.
 * @param features [B, T, C]
 * @returns [B, T, d]
 */
export function projectFeatures(context: ForwardContext, features: Tensor): Tensor {
  const { config, weights, gates } = context;
  let x = features;
  if (config.feat_proj_layer_norm !== false) {
    const norm = weights.norm("feature_projection.layer_norm");
    const gate = gates?.conv.at(-1) ?? null;
    const open = context.openChannels.at(-1)!;
    x = context.applyAndFree(x, (x) => layerNorm(x, norm.w, norm.b, { eps: config.layer_norm_eps, open }));
    if (gate) x = context.applyAndFree(x, (x) => applyGate(x, gate));
  }
  const { w, b } = weights.layer("feature_projection.projection");
  x = context.applyAndFree(x, (x) => linear(x, w, b));
  x = drop(context, "projection", config.feat_proj_dropout, x);
  context.observe("projection", x);
  const masked = context.training?.masked;
  return masked ? maskEmbedding(x, weights.get("masked_spec_embed"), masked) : x;
}
