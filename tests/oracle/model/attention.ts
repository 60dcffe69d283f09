import { type Nd, nd } from "../nd.ts";
import type { LayerSizes, ModelConfig } from "./config.ts";
import { affine, weightOf } from "./rows.ts";

/** What the layers share. */
export type Shared = {
  /** Valid frames of each utterance, or null for all. */
  lengths: readonly number[] | null;
  /** WavLM: bias of head h (before pruning) at offset s − t, in `[h][s − t + T − 1]`. */
  position: number[][] | null;
};

/**
 * Multi-head attention up to the contexts, [B, T, heads · width]: per head softmax(q·kᵀ · width^−0.5 + bias)·v, times
 * the head's gate. x [B, T, d] is the input of the projections. Keys beyond an utterance's length are masked out.
 */
export function contexts(
  weights: ReadonlyMap<string, Nd>,
  name: string,
  x: Nd,
  { heads, width, remaining, allHeads }: LayerSizes,
  { lengths, position }: Shared,
  gate: Nd | null,
): Nd {
  const [B, T] = x.shape as [number, number];
  const q = affine(weights, `${name}.q_proj`, x).data;
  const k = affine(weights, `${name}.k_proj`, x).data;
  const v = affine(weights, `${name}.v_proj`, x).data;
  const position_gate = position && positionGate(weights, name, x, allHeads);
  const C = heads * width;
  const y = nd([B, T, C]);
  const scores = new Float64Array(T);
  for (let n = 0; n < B; n++) {
    const keys = lengths === null ? T : Math.min(T, lengths[n]!);
    for (let h = 0; h < heads; h++) {
      const dense = remaining[h]!;
      const factor = gate === null ? 1 : gate.data[h]!;
      for (let t = 0; t < T; t++) {
        const query = (n * T + t) * C + h * width;
        let largest = -Infinity;
        for (let s = 0; s < keys; s++) {
          const key = (n * T + s) * C + h * width;
          let score = 0;
          for (let d = 0; d < width; d++) score += q[query + d]! * width ** -0.5 * k[key + d]!;
          if (position_gate) score += position_gate(n, t, dense) * position[dense]![s - t + T - 1]!;
          scores[s] = score;
          largest = Math.max(largest, score);
        }
        let norm = 0;
        for (let s = 0; s < keys; s++) norm += scores[s] = Math.exp(scores[s]! - largest);
        for (let s = 0; s < keys; s++) {
          const share = factor * scores[s]! / norm;
          const key = (n * T + s) * C + h * width;
          for (let d = 0; d < width; d++) y.data[query + d]! += share * v[key + d]!;
        }
      }
    }
  }
  return y;
}

/** WavLM's gate of the position bias of utterance n, query t, head h before pruning. */
function positionGate(weights: ReadonlyMap<string, Nd>, name: string, x: Nd, allHeads: number) {
  const [, T, d] = x.shape as [number, number, number];
  const w = weightOf(weights, `${name}.gru_rel_pos_linear.weight`).data;
  const bias = weightOf(weights, `${name}.gru_rel_pos_linear.bias`).data;
  const constant = weightOf(weights, `${name}.gru_rel_pos_const`).data;
  const width = d / allHeads;
  const known = new Map<number, number>();
  const compute = (row: number, h: number) => {
    const sums = [0, 0];
    for (let o = 0; o < 8; o++) {
      let total = bias[o]!;
      for (let i = 0; i < width; i++) total += w[o * width + i]! * x.data[row * d + h * width + i]!;
      sums[o < 4 ? 0 : 1]! += total;
    }
    const [a, b] = sums.map((sum) => 1 / (1 + Math.exp(-sum))) as [number, number];
    return a * (b * constant[h]! - 1) + 2;
  };
  return (n: number, t: number, h: number) => {
    const at = (n * T + t) * allHeads + h;
    let gate = known.get(at);
    if (gate === undefined) known.set(at, gate = compute(n * T + t, h));
    return gate;
  };
}

/** WavLM's ungated position bias by head and offset, from layer 0's embedding of the buckets. */
export function positionBias(config: ModelConfig, embedding: Nd, T: number): number[][] {
  const [buckets, heads] = embedding.shape as [number, number];
  const { max_bucket_distance: farthest = 800 } = config;
  const half = Math.floor(buckets / 2);
  const exact = Math.floor(half / 2);
  const bucketOf = (offset: number) => {
    const distance = Math.abs(offset);
    const ahead = offset > 0 ? half : 0;
    if (distance < exact) return ahead + distance;
    const wide = exact + Math.floor(Math.log(distance / exact) / Math.log(farthest / exact) * (half - exact));
    return ahead + Math.min(wide, half - 1);
  };
  return Array.from(
    { length: heads },
    (_, h) => Array.from({ length: 2 * T - 1 }, (_, i) => embedding.data[bucketOf(i - T + 1) * heads + h]!),
  );
}
