import { type Nd, nd } from "../nd.ts";
import type { ModelConfig } from "./config.ts";
import { geluAll, normAt, weightOf } from "./rows.ts";

/** Gates by name, and the gates that decide which channels are open in the norms. */
export type Gates = { gates: ReadonlyMap<string, Nd>; open: ReadonlyMap<string, Nd> };

/**
 * The feature encoder: for every layer Conv1d, norm, GELU, gate. x [B, N] samples; the outputs of all layers, each
 * [B, C, T], of which the last is not gated: its gate comes after the norm of the feature projection.
 */
export function featureEncoder(
  config: ModelConfig,
  weights: ReadonlyMap<string, Nd>,
  prefix: string,
  samples: Nd,
  { gates, open }: Gates,
): Nd[] {
  const outputs: Nd[] = [];
  let x = nd([samples.shape[0]!, 1, samples.shape[1]!], samples.data);
  const last = config.conv_dim.length - 1;
  for (let i = 0; i <= last; i++) {
    const name = `${prefix}feature_extractor.conv_layers.${i}`;
    let y = conv1d(
      x,
      weightOf(weights, `${name}.conv.weight`),
      weights.get(`${name}.conv.bias`) ?? null,
      config.conv_stride[i]!,
    );
    const [B, C, T] = y.shape as [number, number, number];
    if (config.feat_extract_norm === "group") {
      if (i === 0) y = normOverTime(y, weights, `${name}.layer_norm`);
    } else {
      const starts = Array.from({ length: B * T }, (_, n) => Math.floor(n / T) * C * T + n % T);
      normAt(weights, `${name}.layer_norm`, y, starts, { stride: T, open: open.get(`conv.${i}`) ?? null });
    }
    geluAll(y);
    const gate = gates.get(`conv.${i}`);
    if (gate && i < last) y.data.forEach((v, n) => y.data[n] = v * gate.data[Math.floor(n / T) % C]!);
    outputs.push(y);
    x = y;
  }
  return outputs;
}

/** x [B, I, N], w [O, I, K], b [O] or null; y [B, O, floor((N − K)/stride) + 1]. */
function conv1d(x: Nd, w: Nd, b: Nd | null, stride: number): Nd {
  const [B, I, N] = x.shape as [number, number, number];
  const [O, , K] = w.shape as [number, number, number];
  const T = Math.max(0, Math.floor((N - K) / stride) + 1);
  const y = nd([B, O, T]);
  for (let n = 0; n < B; n++) {
    for (let o = 0; o < O; o++) {
      const to = (n * O + o) * T;
      for (let t = 0; t < T; t++) y.data[to + t] = b === null ? 0 : b.data[o]!;
      for (let i = 0; i < I; i++) {
        const from = (n * I + i) * N;
        for (let k = 0; k < K; k++) {
          const factor = w.data[(o * I + i) * K + k]!;
          for (let t = 0; t < T; t++) y.data[to + t]! += factor * x.data[from + t * stride + k]!;
        }
      }
    }
  }
  return y;
}

/** GroupNorm with one group per channel: statistics over all frames of an utterance, padding included. */
function normOverTime(x: Nd, weights: ReadonlyMap<string, Nd>, name: string): Nd {
  const [B, C, T] = x.shape as [number, number, number];
  const w = weightOf(weights, `${name}.weight`);
  const b = weightOf(weights, `${name}.bias`);
  const y = nd(x.shape);
  for (let row = 0; row < B * C; row++) {
    const values = x.data.subarray(row * T, (row + 1) * T);
    const mean = values.reduce((total, v) => total + v, 0) / T;
    const variance = values.reduce((total, v) => total + (v - mean) ** 2, 0) / T;
    const c = row % C;
    values.forEach((v, t) => {
      y.data[row * T + t] = (v - mean) / Math.sqrt(variance + 1e-5) * w.data[c]! + b.data[c]!;
    });
  }
  return y;
}
