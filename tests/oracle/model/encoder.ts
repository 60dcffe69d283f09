import type { Nd } from "../nd.ts";
import { contexts, positionBias } from "./attention.ts";
import { hasSublayers, layerSizes, type ModelConfig } from "./config.ts";
import { relu } from "../relu.ts";
import { positions } from "./positions.ts";
import { affine, geluAll, normRows, plus } from "./rows.ts";

/**
 * The encoder after the feature projection, x [B, T, d], with padded frames already 0. Adds its activations to
 * `acts` and returns the last hidden state.
 */
export function encoder(
  config: ModelConfig,
  weights: ReadonlyMap<string, Nd>,
  prefix: string,
  x: Nd,
  gates: ReadonlyMap<string, Nd>,
  lengths: readonly number[] | null,
  acts: Map<string, Nd>,
): Nd {
  const name = `${prefix}encoder`;
  const { do_stable_layer_norm: preNorm, layer_norm_eps: eps = 1e-5 } = config;
  const norm = (which: string, x: Nd) => normRows(weights, `${name}.${which}`, x, { eps });
  const added = positions(config, weights, `${name}.pos_conv_embed`, x);
  acts.set("act.pos_conv", added);
  let h = plus(x, added);
  if (!preNorm) h = norm("layer_norm", h);
  acts.set("act.encoder_in", h);

  const embedding = weights.get(`${name}.layers.0.attention.rel_attn_embed.weight`);
  const position = embedding ? positionBias(config, embedding, x.shape[1]!) : null;
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `layers.${i}`;
    const attend = (x: Nd) => {
      const gate = gates.get(`heads.${i}`) ?? null;
      const shared = { lengths, position };
      const c = contexts(weights, `${name}.${layer}.attention`, x, layerSizes(config, i), shared, gate);
      const y = affine(weights, `${name}.${layer}.attention.out_proj`, c);
      acts.set(`act.layer.${i}.attn`, y);
      return y;
    };
    const feedForward = (x: Nd) => {
      const u = geluAll(affine(weights, `${name}.${layer}.feed_forward.intermediate_dense`, x));
      const gate = gates.get(`ffn.${i}`);
      if (gate) u.data.forEach((v, n) => u.data[n] = v * gate.data[n % gate.data.length]!);
      return affine(weights, `${name}.${layer}.feed_forward.output_dense`, u);
    };
    const { attention: attends, feedForward: feedsForward } = hasSublayers(config, i);
    if (preNorm) {
      if (attends) h = plus(h, attend(norm(`${layer}.layer_norm`, h)));
      if (feedsForward) h = plus(h, feedForward(norm(`${layer}.final_layer_norm`, h)));
      if (config.adapter_attn_dim) h = plus(h, adapter(weights, `${name}.${layer}.adapter_layer`, h));
    } else {
      h = norm(`${layer}.layer_norm`, attends ? plus(h, attend(h)) : h);
      h = norm(`${layer}.final_layer_norm`, feedsForward ? plus(h, feedForward(h)) : h);
    }
    acts.set(`act.layer.${i}`, h);
  }
  if (preNorm) h = norm("layer_norm", h);
  acts.set("act.encoder_out", h);
  return h;
}

/** The adapter of MMS: norm, linear, ReLU, linear. */
function adapter(weights: ReadonlyMap<string, Nd>, name: string, x: Nd): Nd {
  const inner = affine(weights, `${name}.linear_1`, normRows(weights, `${name}.norm`, x, { eps: 1e-5 }));
  return affine(weights, `${name}.linear_2`, relu(inner));
}
