import { conv1d } from "../kernels/conv1d.ts";
import { gate as applyGate } from "../kernels/gate.ts";
import { gelu } from "../kernels/gelu.ts";
import { groupNorm } from "../kernels/group_norm.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { linear } from "../kernels/linear.ts";
import { maskEmbedding } from "../kernels/mask_embedding.ts";
import { select } from "../kernels/index_select.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { drop } from "./dropouts.ts";
import type { Pass } from "./forward_context.ts";

/** Epsilon of the norms between convolutions, fixed in the published code whatever the config says. */
const CONV_EPS = 1e-5;

/**
 * The convolutions over the waveform: each valid convolution → norm → GELU → gate, with the norm that the family
 * has: over time per channel after the first alone (`group`), or over channels after each (`layer`).
 *
 * @param pass The forward pass.
 * @param samples Normalised audio, [B, S].
 * @returns Features, [B, T, C] with C the channels of the last convolution.
 */
export function encodeFeatures(pass: Pass, samples: Tensor): Tensor {
  let x = samples.view([...samples.shape, 1]);
  for (let i = 0; i < pass.config.conv_dim.length; i++) {
    x = pass.block(x, (x) => convolve(pass, i, x));
    if (pass.observes(`conv.${i}`)) pass.observe(`conv.${i}`, ownChannels(x, pass.config.conv_dim[i]!));
  }
  return x;
}

/** Features without the channels that the device added. */
function ownChannels(x: Tensor, channels: number): Tensor {
  return x.shape.at(-1) === channels ? x : select(x, 2, Array.from({ length: channels }, (_, c) => c));
}

/** A convolution with its norm, GELU and gate. */
function convolve(pass: Pass, i: number, input: Tensor): Tensor {
  const { config, weights, gates } = pass;
  const name = `feature_extractor.conv_layers.${i}`;
  const { w, b } = weights.layer(`${name}.conv`);
  const stride = config.conv_stride[i]!;
  const z = gates?.conv[i] ?? null;
  // The last convolution's gate sits behind the norm of the projection, if there is one.
  const last = i === config.conv_dim.length - 1;
  const gate = last && config.feat_proj_layer_norm !== false ? null : z;
  if (!weights.has(`${name}.layer_norm.weight`)) {
    // After the last one a norm follows, or the projection.
    const dtype = last || pass.observes(`conv.${i}`) ? "f32" : pass.between;
    return pass.next(input, (x) => conv1d(x, w, b, { stride, gelu: true, gate, dtype }));
  }
  const norm = weights.norm(`${name}.layer_norm`);
  let x = pass.next(input, (x) => conv1d(x, w, b, { stride }));
  if (config.feat_extract_norm === "group") {
    const options = { eps: CONV_EPS, lengths: pass.normLengths, gelu: true, gate };
    return pass.next(x, (x) => groupNorm(x, norm.w, norm.b, options));
  }
  x = pass.next(x, (x) => layerNorm(x, norm.w, norm.b, { eps: CONV_EPS, open: pass.open[i]! }));
  x = pass.next(x, gelu);
  return gate ? pass.next(x, (x) => applyGate(x, gate)) : x;
}

/**
 * The feature projection: layer norm over the open channels → gate → linear; in training, frames that SpecAugment
 * masks (arXiv 1904.08779) become the mask embedding.
 *
 * @param pass The forward pass.
 * @param features [B, T, C]
 * @returns [B, T, d]
 */
export function projectFeatures(pass: Pass, features: Tensor): Tensor {
  const { config, weights, gates } = pass;
  let x = features;
  if (config.feat_proj_layer_norm !== false) {
    const norm = weights.norm("feature_projection.layer_norm");
    const gate = gates?.conv.at(-1) ?? null;
    const open = pass.open.at(-1)!;
    x = pass.next(x, (x) => layerNorm(x, norm.w, norm.b, { eps: config.layer_norm_eps, open }));
    if (gate) x = pass.next(x, (x) => applyGate(x, gate));
  }
  const { w, b } = weights.layer("feature_projection.projection");
  x = pass.next(x, (x) => linear(x, w, b));
  x = drop(pass, "projection", config.feat_proj_dropout, x);
  pass.observe("projection", x);
  const masked = pass.training?.masked;
  return masked ? maskEmbedding(x, weights.get("masked_spec_embed"), masked) : x;
}
