import { type Nd, nd } from "./nd.ts";

/** Options of {@linkcode attention}: H heads, T frames, B utterances. */
export type AttentionOptions = {
  /** Number of heads H. */
  heads: number;
  /** Valid frames of each utterance; keys beyond are excluded. All are valid when null. */
  lengths?: readonly number[] | null;
  /** [H], times each head's output. */
  gate?: Nd | null;
  /** [H, T, T] or [B, H, T, T], added to the scaled scores: query, then key. */
  bias?: Nd | null;
  /** Factor of the scores, D^−0.5 by default. */
  scale?: number;
};

/**
 * Multi-head attention: per head softmax(scale · q·kᵀ + bias)·v, times the head's gate. q, k, v
 * and y are [B, T, H·D]. Padded queries are computed too; an utterance of length 0 gives zeros.
 */
export function attention(
  q: Nd,
  k: Nd,
  v: Nd,
  { heads: H, lengths = null, gate = null, bias = null, scale }: AttentionOptions,
): Nd {
  const [B, T, width] = q.shape as [number, number, number];
  const D = width / H;
  if (
    !Number.isInteger(D) || k.data.length !== q.data.length ||
    v.data.length !== q.data.length
  ) {
    throw new TypeError(
      `Cannot attend as q, k and v must be [B, T, heads·D]: q is [${q.shape}], k is [${k.shape}], v is [${v.shape}], heads are ${H}`,
    );
  }
  const factor = scale ?? D ** -0.5;
  const y = nd(q.shape);
  for (let n = 0; n < B; n++) {
    const keys = lengths === null ? T : Math.min(T, lengths[n]!);
    for (let h = 0; h < H; h++) {
      const at = (t: number, d: number) => (n * T + t) * width + h * D + d;
      for (let t = 0; t < T; t++) {
        const scores: number[] = [];
        for (let s = 0; s < keys; s++) {
          let total = 0;
          for (let d = 0; d < D; d++) {
            total += q.data[at(t, d)]! * k.data[at(s, d)]!;
          }
          scores.push(factor * total + biasAt(bias, n, h, t, s, H, T));
        }
        const largest = Math.max(...scores);
        const exponentials = scores.map((score) => Math.exp(score - largest));
        const norm = exponentials.reduce((a, b) => a + b, 0);
        for (let d = 0; d < D; d++) {
          let total = 0;
          for (let s = 0; s < keys; s++) {
            total += exponentials[s]! / norm * v.data[at(s, d)]!;
          }
          y.data[at(t, d)] = total * (gate === null ? 1 : gate.data[h]!);
        }
      }
    }
  }
  return y;
}

function biasAt(
  bias: Nd | null,
  n: number,
  h: number,
  t: number,
  s: number,
  H: number,
  T: number,
): number {
  if (bias === null) return 0;
  const utterance = bias.shape.length === 4 ? n : 0;
  return bias.data[((utterance * H + h) * T + t) * T + s]!;
}
