import { add } from "../kernels/add.ts";
import { attention } from "../kernels/attention.ts";
import { layerNorm } from "../kernels/layer_norm.ts";
import { linear } from "../kernels/linear.ts";
import { qkvLinear } from "../kernels/qkv_linear.ts";
import { maskFrames } from "../kernels/mask_frames.ts";
import { relu } from "../kernels/relu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { headsOf, unitsOf } from "./config.ts";
import { drop, dropoutAt, skipsLayer } from "./dropouts.ts";
import { projections } from "./parameter_specs.ts";
import type { ForwardContext } from "./forward_context.ts";
import { type PositionBias, positionBias } from "./position_bias.ts";
import { positions } from "./positions.ts";

/** Epsilon of the norms in adapters. `transformers` ignores `layer_norm_eps` here. */
const ADAPTER_EPS = 1e-5;

/**
 * The Transformer: padding frames are zeroed, the positional convolution is added, then the layers follow. Layer norms come
 * after each sub-layer, or before it with `do_stable_layer_norm`.
 *
 * @param context The forward context.
 * @param projected Projected features, [B, T, d].
 * @returns Last hidden state, [B, T, d].
 */
export function encode(context: ForwardContext, projected: Tensor): Tensor {
  const { config, weights, frameLengths } = context;
  const preNorm = config.do_stable_layer_norm;
  const norm = (x: Tensor) => normed(context, "encoder.layer_norm", x);
  let x = projected;
  if (frameLengths) x = context.applyAndFree(x, (x) => maskFrames(x, frameLengths));
  x = context.applyAndFree(x, (x) => add(x, positions(context, x)));
  if (!preNorm) x = context.applyAndFree(x, norm);
  x = drop(context, "encoder", config.hidden_dropout, x);
  context.observe("encoder_in", x);
  context.hiddenState?.(x);

  const bias = weights.has("encoder.layers.0.attention.rel_attn_embed.weight")
    ? positionBias(context, x.shape[1]!)
    : null;
  for (let i = 0; i < config.num_hidden_layers; i++) {
    if (!skipsLayer(context, i)) {
      x = context.checkpoint(x, (x) => layer(context, i, x, bias), bias?.shared);
      context.observe(`layer.${i}`, x);
    }
    if (i < config.num_hidden_layers - 1) context.hiddenState?.(x);
  }
  if (preNorm) x = context.applyAndFree(x, norm);
  context.observe("encoder_out", x);
  context.hiddenState?.(x);
  return x;
}

/** A Transformer layer: attention and feed-forward, each with its norm. Post-norm keeps the norm of an absent sub-layer. */
function layer(context: ForwardContext, i: number, input: Tensor, bias: PositionBias | null): Tensor {
  const name = `encoder.layers.${i}`;
  const { config } = context;
  let x = input;
  const apply = (fn: (x: Tensor) => Tensor) => x = context.applyAndFree(x, fn);
  if (config.do_stable_layer_norm) {
    if (config.use_attention[i]) {
      apply((x) => attend(context, i, normed(context, `${name}.layer_norm`, x), x, bias));
    }
    if (config.use_feed_forward[i]) {
      apply((x) => feedForward(context, i, normed(context, `${name}.final_layer_norm`, x), x));
    }
    return config.adapter_attn_dim === null ? x : apply((x) => adapter(context, `${name}.adapter_layer`, x));
  }
  if (config.use_attention[i]) apply((x) => attend(context, i, x, x, bias));
  apply((x) => normed(context, `${name}.layer_norm`, x));
  if (config.use_feed_forward[i]) apply((x) => feedForward(context, i, x, x));
  return apply((x) => normed(context, `${name}.final_layer_norm`, x));
}

/** The adapter of MMS on `x`, added to it: layer norm → linear → ReLU → linear. */
function adapter({ weights }: ForwardContext, name: string, x: Tensor): Tensor {
  const [norm, down, up] = [
    weights.norm(`${name}.norm`),
    weights.layer(`${name}.linear_1`),
    weights.layer(`${name}.linear_2`),
  ];
  const h = relu(linear(layerNorm(x, norm.w, norm.b, { eps: ADAPTER_EPS }), down.w, down.b));
  return linear(h, up.w, up.b, { residual: x });
}

function normed({ config, weights }: ForwardContext, name: string, x: Tensor): Tensor {
  const { w, b } = weights.norm(name);
  return layerNorm(x, w, b, { eps: config.layer_norm_eps });
}

/** Multi-head attention over `x`, added to `residual`. A layer without heads adds its output bias. */
function attend(
  context: ForwardContext,
  layer: number,
  x: Tensor,
  residual: Tensor,
  bias: PositionBias | null,
): Tensor {
  const { config, weights, gates, frameLengths } = context;
  const name = `encoder.layers.${layer}.attention`;
  const heads = headsOf(config, layer);
  if (heads === 0) return add(residual, weights.get(`${name}.out_proj.bias`));
  const [ws, bs] = ["weight", "bias"].map((part) => {
    return projections(layer, part).map((name) => weights.get(name));
  }) as [Tensor[], Tensor[]];
  const [k, v, q] = qkvLinear(x, ws.map((w, i) => ({ w, b: bs[i]! })), context.activationDtype);
  const attended = attention(q!, k!, v!, {
    heads,
    lengths: frameLengths,
    gate: gates?.heads[layer] ?? null,
    bias: bias ? bias.of(layer, x) : null,
    dropout: dropoutAt(context, `${name} weights`, config.attention_dropout),
  });
  const out = weights.layer(`${name}.out_proj`);
  return addOutput(context, `layer.${layer}.attn`, attended, out, residual);
}

/**
 * Output projection of a sub-layer with dropout, added to the residual. The addition is fused into the GEMM if nothing comes
 * between.
 */
function addOutput(
  context: ForwardContext,
  name: string,
  x: Tensor,
  { w, b }: { w: Tensor; b: Tensor | null },
  residual: Tensor,
): Tensor {
  const rate = context.config.hidden_dropout;
  const separate = context.observes(name) || dropoutAt(context, name, rate) !== null;
  if (!separate) return linear(x, w, b, { residual });
  const y = linear(x, w, b);
  context.observe(name, y);
  return add(residual, drop(context, name, rate, y));
}

/** Feed-forward block on `x`, added to `residual`. A layer without units adds its output bias. */
function feedForward(context: ForwardContext, layer: number, x: Tensor, residual: Tensor): Tensor {
  const { config, weights, gates } = context;
  const name = `encoder.layers.${layer}.feed_forward`;
  if (unitsOf(config, layer) === 0) return add(residual, weights.get(`${name}.output_dense.bias`));
  const inner = weights.layer(`${name}.intermediate_dense`);
  const gate = gates?.ffn[layer] ?? null;
  const h = linear(x, inner.w, inner.b, { gelu: true, gate, dtype: context.activationDtype });
  const output = weights.layer(`${name}.output_dense`);
  const kept = drop(context, `${name} units`, config.activation_dropout, h);
  return addOutput(context, `layer.${layer}.ffn`, kept, output, residual);
}
