import { FEATURE_SCALE, hasConvNorm } from "../parameter_specs.ts";
import type { Value } from "./graph.ts";
import { constant, type ExportedModel, gelu, layerNorm, linear, transpose } from "./layers.ts";

/** Epsilon of the norms between convolutions. `transformers` ignores `layer_norm_eps` here. */
const CONV_EPS = 1e-5;

/** Exchanges the axes of frames and channels. */
const SWAP = [0, 2, 1];

/**
 * The convolutional feature encoder and the feature projection, as in model/feature_encoder.ts.
 *
 * @param model The model.
 * @param samples Normalised audio, [B, S].
 * @returns Projected features, [B, T, d].
 */
export function encodeFeatures(model: ExportedModel, samples: Value): Value {
  const { graph, config } = model;
  let x = graph.add("Unsqueeze", "feature_extractor", [samples, graph.ints([1])]);
  for (let i = 0; i < config.conv_dim.length; i++) x = convolve(model, i, x);
  const name = "feature_projection";
  x = transpose(model, name, x, SWAP);
  if (config.feature_scale) x = graph.add("Mul", FEATURE_SCALE, [x, constant(model, FEATURE_SCALE)]);
  if (config.feat_proj_layer_norm) x = layerNorm(model, `${name}.layer_norm`, x, config.layer_norm_eps);
  return linear(model, `${name}.projection`, x);
}

/** A convolution with its norm and GELU, [B, C, T]. */
function convolve(model: ExportedModel, i: number, input: Value): Value {
  const { graph, config, tensors } = model;
  const name = `feature_extractor.conv_layers.${i}`;
  const bias = tensors.has(`${name}.conv.bias`) ? [constant(model, `${name}.conv.bias`)] : [];
  let x = graph.add("Conv", `${name}.conv`, [input, constant(model, `${name}.conv.weight`), ...bias], {
    kernel_shape: [config.conv_kernel[i]!],
    strides: [config.conv_stride[i]!],
  });
  if (!hasConvNorm(config, i)) return gelu(model, name, x);
  const norm = `${name}.layer_norm`;
  if (config.feat_extract_norm === "group") {
    // A group per channel: the norm of each channel over time.
    const inputs = [x, constant(model, `${norm}.weight`), constant(model, `${norm}.bias`)];
    x = graph.add("InstanceNormalization", norm, inputs, { epsilon: { float: CONV_EPS } });
    return gelu(model, name, x);
  }
  x = layerNorm(model, norm, transpose(model, norm, x, SWAP), CONV_EPS);
  return gelu(model, name, transpose(model, norm, x, SWAP));
}
