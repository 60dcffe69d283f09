import { headsOf, unitsOf } from "../config.ts";
import type { Value } from "./graph.ts";
import { addBias, type ExportedModel, gelu, layerNorm, linear, transpose } from "./layers.ts";
import { PositionBias } from "./position_bias.ts";
import { positions } from "./positions.ts";

/**
 * The Transformer, as in model/encoder.ts: padding frames are zeroed, the positional convolution is added, then the layers
 * follow.
 *
 * @param model The model.
 * @param projected Projected features, [B, T, d].
 * @returns The hidden states, [B, T, d] each: input of the first layer and output of each, the last one after the final norm.
 */
export function encode(model: ExportedModel, projected: Value): Value[] {
  const { graph, config, mask } = model;
  const preNorm = config.do_stable_layer_norm;
  let x = mask ? mask.zeroPadding(model, projected) : projected;
  x = graph.add("Add", "encoder.pos_conv_embed", [x, positions(model, x)]);
  if (!preNorm) x = norm(model, "encoder.layer_norm", x);
  const bias = config.model_type === "wavlm" && config.use_attention[0] ? new PositionBias(model) : null;
  const states = [x];
  for (let i = 0; i < config.num_hidden_layers; i++) states.push(x = layer(model, i, x, bias));
  return preNorm ? states.with(-1, norm(model, "encoder.layer_norm", x)) : states;
}

/** A Transformer layer: attention and feed-forward, each with its norm. */
function layer(model: ExportedModel, i: number, input: Value, bias: PositionBias | null): Value {
  const { config } = model;
  const name = `encoder.layers.${i}`;
  const { do_stable_layer_norm: preNorm, use_attention, use_feed_forward } = config;
  const inputOf = (which: string) => (x: Value) => preNorm ? norm(model, `${name}.${which}`, x) : x;
  let x = input;
  if (use_attention[i]) x = attend(model, i, x, bias, inputOf("layer_norm"));
  if (!preNorm) x = norm(model, `${name}.layer_norm`, x);
  if (use_feed_forward[i]) x = feedForward(model, i, x, inputOf("final_layer_norm"));
  if (!preNorm) return norm(model, `${name}.final_layer_norm`, x);
  return config.adapter_attn_dim === null ? x : adapter(model, `${name}.adapter_layer`, x);
}

/** The adapter of MMS on `x`, added to it. */
function adapter(model: ExportedModel, name: string, x: Value): Value {
  const { graph } = model;
  const inner = linear(model, `${name}.linear_1`, layerNorm(model, `${name}.norm`, x, 1e-5));
  return graph.add("Add", name, [x, linear(model, `${name}.linear_2`, graph.add("Relu", name, [inner]))]);
}

function norm(model: ExportedModel, name: string, x: Value): Value {
  return layerNorm(model, name, x, model.config.layer_norm_eps);
}

/** Attention on the normed input, added to the input. A layer without heads adds its output bias. */
function attend(
  model: ExportedModel,
  layer: number,
  residual: Value,
  bias: PositionBias | null,
  normed: (x: Value) => Value,
): Value {
  const { graph, config: { head_dim }, mask, config } = model;
  const name = `encoder.layers.${layer}.attention`;
  const heads = headsOf(config, layer);
  if (heads === 0) return addBias(model, `${name}.out_proj`, residual);
  const x = normed(residual);
  const ofHeads = (part: string, perm: readonly number[], scale = 1) => {
    const y = linear(model, `${name}.${part}`, x, scale);
    const split = graph.add("Reshape", `${name}.${part}`, [y, graph.ints([0, 0, heads, head_dim])]);
    return transpose(model, `${name}.${part}`, split, perm);
  };
  const q = ofHeads("q_proj", [0, 2, 1, 3], head_dim ** -0.5);
  const k = ofHeads("k_proj", [0, 2, 3, 1]);
  const v = ofHeads("v_proj", [0, 2, 1, 3]);
  let scores = graph.add("MatMul", name, [q, k]);
  if (bias) scores = graph.add("Add", name, [scores, bias.of(layer, x)]);
  if (mask) scores = graph.add("Add", name, [scores, mask.scoreBias(model, x)]);
  const weights = graph.add("Softmax", name, [scores], { axis: -1 });
  const merged = transpose(model, name, graph.add("MatMul", name, [weights, v]), [0, 2, 1, 3]);
  const context = graph.add("Reshape", name, [merged, graph.ints([0, 0, heads * head_dim])]);
  return graph.add("Add", name, [residual, linear(model, `${name}.out_proj`, context)]);
}

/** Feed-forward block on the normed input, added to the input. A layer without units adds its output bias. */
function feedForward(
  model: ExportedModel,
  layer: number,
  residual: Value,
  normed: (x: Value) => Value,
): Value {
  const name = `encoder.layers.${layer}.feed_forward`;
  if (unitsOf(model.config, layer) === 0) return addBias(model, `${name}.output_dense`, residual);
  const inner = linear(model, `${name}.intermediate_dense`, normed(residual));
  const y = linear(model, `${name}.output_dense`, gelu(model, name, inner));
  return model.graph.add("Add", name, [residual, y]);
}
