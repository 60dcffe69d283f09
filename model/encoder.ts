import { add } from "../kernels/add.ts";
import { attention } from "../kernels/attention.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { linear } from "../kernels/linear.ts";
import { linears } from "../kernels/qkv_linear.ts";
import { maskFrames } from "../kernels/mask_frames.ts";
import { positionalConv } from "../kernels/positional_conv.ts";
import { weightNorm } from "../kernels/weight_norm.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { headsOf, unitsOf } from "./config.ts";
import { drop, dropoutAt, skipsLayer } from "./dropouts.ts";
import { projections } from "./parameter_specs.ts";
import type { Pass } from "./forward_context.ts";
import { type PositionBias, positionBias } from "./position_bias.ts";

/**
 * The Transformer: frames beyond a clip's length are zeroed, the positional convolution is added, and the layers
 * follow, with their norms after each sub-layer or, in the family with `do_stable_layer_norm`, before.
 *
 * @param pass The forward pass.
 * @param projected Projected features, [B, T, d].
 * @returns Last hidden state, [B, T, d].
 */
export function encode(pass: Pass, projected: Tensor): Tensor {
  const { config, weights, frameLengths } = pass;
  const preNorm = config.do_stable_layer_norm;
  const norm = (x: Tensor) => normed(pass, "encoder.layer_norm", x);
  let x = projected;
  if (frameLengths) x = pass.next(x, (x) => maskFrames(x, frameLengths));
  x = pass.next(x, (x) => add(x, positions(pass, x)));
  if (!preNorm) x = pass.next(x, norm);
  x = drop(pass, "encoder", config.hidden_dropout, x);
  pass.observe("encoder_in", x);

  const bias = weights.has("encoder.layers.0.attention.rel_attn_embed.weight")
    ? positionBias(pass, x.shape[1]!)
    : null;
  for (let i = 0; i < config.num_hidden_layers; i++) {
    if (skipsLayer(pass, i)) continue;
    x = pass.block(x, (x) => layer(pass, i, x, bias), bias?.shared);
    pass.observe(`layer.${i}`, x);
  }
  if (preNorm) x = pass.next(x, norm);
  pass.observe("encoder_out", x);
  return x;
}

/** A layer: attention and the feed-forward block, each with its norm. */
function layer(pass: Pass, i: number, input: Tensor, bias: PositionBias | null): Tensor {
  const name = `encoder.layers.${i}`;
  let x = input;
  if (pass.config.do_stable_layer_norm) {
    x = pass.next(x, (x) => attend(pass, i, normed(pass, `${name}.layer_norm`, x), x, bias));
    return pass.next(x, (x) => feedForward(pass, i, normed(pass, `${name}.final_layer_norm`, x), x));
  }
  x = pass.next(x, (x) => attend(pass, i, x, x, bias));
  x = pass.next(x, (x) => normed(pass, `${name}.layer_norm`, x));
  x = pass.next(x, (x) => feedForward(pass, i, x, x));
  return pass.next(x, (x) => normed(pass, `${name}.final_layer_norm`, x));
}

function normed({ config, weights }: Pass, name: string, x: Tensor): Tensor {
  const { w, b } = weights.norm(name);
  return layerNorm(x, w, b, { eps: config.layer_norm_eps });
}

/** The positional convolution with its GELU, [B, T, d]. */
function positions(pass: Pass, x: Tensor): Tensor {
  const { config, weights } = pass;
  const name = "encoder.pos_conv_embed.conv";
  const v = weights.find(`${name}.weight_v`) ?? weights.get(`${name}.parametrizations.weight.original1`);
  const g = weights.find(`${name}.weight_g`) ?? weights.get(`${name}.parametrizations.weight.original0`);
  const w = weights.prepare(name, [v, g], () => weightNorm(v, g));
  const y = positionalConv(x, w, weights.find(`${name}.bias`), {
    groups: config.num_conv_pos_embedding_groups,
    gelu: true,
  });
  pass.observe("pos_conv", y);
  return y;
}

/** Multi-head attention over `x`, added to `residual`; without heads, its output bias alone is. */
function attend(
  pass: Pass,
  layer: number,
  x: Tensor,
  residual: Tensor,
  bias: PositionBias | null,
): Tensor {
  const { config, weights, gates, frameLengths } = pass;
  const name = `encoder.layers.${layer}.attention`;
  const heads = headsOf(config, layer);
  if (heads === 0) return add(residual, weights.get(`${name}.out_proj.bias`));
  const [ws, bs] = ["weight", "bias"].map((part) => {
    return projections(layer, part).map((name) => weights.get(name));
  }) as [Tensor[], Tensor[]];
  const [k, v, q] = linears(x, ws.map((w, i) => ({ w, b: bs[i]! })), pass.between);
  const context = attention(q!, k!, v!, {
    heads,
    lengths: frameLengths,
    gate: gates?.heads[layer] ?? null,
    bias: bias ? bias.of(layer, x) : null,
    dropout: dropoutAt(pass, `${name} weights`, config.attention_dropout),
  });
  const out = weights.layer(`${name}.out_proj`);
  return addOutput(pass, `layer.${layer}.attn`, context, out, residual);
}

/** The last product of a sub-layer, dropped out and added to the residual; at once where nothing comes between. */
function addOutput(
  pass: Pass,
  name: string,
  x: Tensor,
  { w, b }: { w: Tensor; b: Tensor | null },
  residual: Tensor,
): Tensor {
  const rate = pass.config.hidden_dropout;
  const between = pass.observes(name) || dropoutAt(pass, name, rate) !== null;
  if (!between) return linear(x, w, b, { residual });
  const y = linear(x, w, b);
  pass.observe(name, y);
  return add(residual, drop(pass, name, rate, y));
}

/** The feed-forward block on `x`, added to `residual`; without units, its output bias alone is. */
function feedForward(pass: Pass, layer: number, x: Tensor, residual: Tensor): Tensor {
  const { config, weights, gates } = pass;
  const name = `encoder.layers.${layer}.feed_forward`;
  if (unitsOf(config, layer) === 0) return add(residual, weights.get(`${name}.output_dense.bias`));
  const inner = weights.layer(`${name}.intermediate_dense`);
  const gate = gates?.ffn[layer] ?? null;
  const h = linear(x, inner.w, inner.b, { gelu: true, gate, dtype: pass.between });
  const output = weights.layer(`${name}.output_dense`);
  const kept = drop(pass, `${name} units`, config.activation_dropout, h);
  return addOutput(pass, `layer.${layer}.ffn`, kept, output, residual);
}
