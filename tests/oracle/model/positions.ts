// The positional embedding, which is added to the projected features.
import { batchNorm } from "../batch_norm.ts";
import { type Nd, nd } from "../nd.ts";
import type { ModelConfig } from "./config.ts";
import { geluAll, normRows, weightOf } from "./rows.ts";

/** GELU of the weight-normed grouped convolution over the frames; data2vec: of several, each with a norm. */
export function positions(config: ModelConfig, weights: ReadonlyMap<string, Nd>, name: string, x: Nd): Nd {
  const groups = config.num_conv_pos_embedding_groups;
  const at = (part: string) => weightOf(weights, `${name}.${part}`);
  if (config.conv_pos_batch_norm) {
    const [w, b, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((part) =>
      at(`batch_norm.${part}`)
    );
    const normed = batchNorm(x, w!, b!, mean!, variance!);
    return geluAll(groupedConv(normed, at("conv.weight"), at("conv.bias"), groups));
  }
  if (config.model_type !== "data2vec-audio") {
    return geluAll(
      groupedConv(x, normedWeight(weights, `${name}.conv`), at("conv.bias"), groups),
    );
  }
  const d = config.hidden_size;
  const plain = new Map([["norm.weight", nd([d], new Array(d).fill(1))], ["norm.bias", nd([d])]]);
  let y = x;
  for (let i = 0; i < config.num_conv_pos_embeddings; i++) {
    const [w, b] = ["weight", "bias"].map((part) => at(`layers.${i}.conv.${part}`));
    y = geluAll(normRows(plain, "norm", groupedConv(y, w!, b!, groups), { eps: 1e-5 }));
  }
  return y;
}

/** g·v/‖v‖ per tap. */
function normedWeight(weights: ReadonlyMap<string, Nd>, name: string): Nd {
  const renamed = weights.has(`${name}.parametrizations.weight.original1`);
  const v = weightOf(weights, renamed ? `${name}.parametrizations.weight.original1` : `${name}.weight_v`);
  const g = weightOf(weights, renamed ? `${name}.parametrizations.weight.original0` : `${name}.weight_g`);
  const K = v.shape[2]!;
  const factors = Array.from({ length: K }, (_, k) => {
    let squares = 0;
    for (let i = k; i < v.data.length; i += K) squares += v.data[i]! ** 2;
    return g.data[k]! / Math.sqrt(squares);
  });
  return nd(v.shape, v.data.map((x, i) => factors[i % K]! * x));
}

/** Convolution of x [B, T, d] with w [d, d/groups, K] and as many frames. */
function groupedConv(x: Nd, w: Nd, b: Nd, groups: number): Nd {
  const [B, T, d] = x.shape as [number, number, number];
  const [, width, K] = w.shape as [number, number, number];
  const perGroup = d / groups;
  const padding = Math.floor(K / 2);
  const y = nd(x.shape);
  // For an even K there is one frame more, which is dropped.
  for (let n = 0; n < B; n++) {
    for (let o = 0; o < d; o++) {
      const first = Math.floor(o / perGroup) * width;
      for (let t = 0; t < T; t++) {
        let total = b.data[o]!;
        for (let k = Math.max(0, padding - t); k < Math.min(K, T + padding - t); k++) {
          const row = (n * T + t + k - padding) * d + first;
          for (let i = 0; i < width; i++) total += w.data[(o * width + i) * K + k]! * x.data[row + i]!;
        }
        y.data[(n * T + t) * d + o] = total;
      }
    }
  }
  return y;
}
