// Steps that several parts of the model share. Rows are the last axis: [.., C].
import { erf } from "../erf.ts";
import { type Nd, nd } from "../nd.ts";

/** Reads a weight; an error names a missing one. */
export function weightOf(weights: ReadonlyMap<string, Nd>, name: string): Nd {
  const weight = weights.get(name);
  if (!weight) throw new Error(`Cannot run the oracle as a weight is missing: ${name}`);
  return weight;
}

/** 0.5·x·(1 + erf(x/√2)), in place. */
export function geluAll(x: Nd): Nd {
  for (let i = 0; i < x.data.length; i++) {
    const v = x.data[i]!;
    x.data[i] = 0.5 * v * (1 + erf(v / Math.SQRT2));
  }
  return x;
}

/** x·Wᵀ + b with `name.weight` [O, I] and `name.bias` [O]. */
export function affine(weights: ReadonlyMap<string, Nd>, name: string, x: Nd): Nd {
  const w = weightOf(weights, `${name}.weight`);
  const b = weightOf(weights, `${name}.bias`);
  const [O, I] = w.shape as [number, number];
  const rows = x.shape.slice(0, -1).reduce((size, n) => size * n, 1);
  const y = nd([...x.shape.slice(0, -1), O]);
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < O; o++) {
      let total = b.data[o]!;
      for (let i = 0; i < I; i++) total += x.data[r * I + i]! * w.data[o * I + i]!;
      y.data[r * O + o] = total;
    }
  }
  return y;
}

/**
 * (x − mean)/√(variance + eps)·w + b with `name.weight` and `name.bias`, over C elements `stride` apart, for each
 * `start`; in place. Only channels with open > 0 count; the others become 0.
 */
export function normAt(
  weights: ReadonlyMap<string, Nd>,
  name: string,
  x: Nd,
  starts: Iterable<number>,
  { stride = 1, eps = 1e-5, open = null }: { stride?: number; eps?: number; open?: Nd | null } = {},
): Nd {
  const w = weightOf(weights, `${name}.weight`).data;
  const b = weightOf(weights, `${name}.bias`).data;
  const C = w.length;
  const isOpen = (c: number) => open === null || open.data[c]! > 0;
  let count = 0;
  for (let c = 0; c < C; c++) if (isOpen(c)) count++;
  for (const start of starts) {
    let mean = 0;
    for (let c = 0; c < C; c++) if (isOpen(c)) mean += x.data[start + c * stride]!;
    mean /= count;
    let variance = 0;
    for (let c = 0; c < C; c++) if (isOpen(c)) variance += (x.data[start + c * stride]! - mean) ** 2;
    const deviation = Math.sqrt(variance / count + eps);
    for (let c = 0; c < C; c++) {
      const at = start + c * stride;
      x.data[at] = isOpen(c) ? (x.data[at]! - mean) / deviation * w[c]! + b[c]! : 0;
    }
  }
  return x;
}

/** {@linkcode normAt} for every row of x [.., C], into a new array. */
export function normRows(
  weights: ReadonlyMap<string, Nd>,
  name: string,
  x: Nd,
  options: { eps?: number; open?: Nd | null } = {},
): Nd {
  const C = x.shape.at(-1)!;
  const starts = Array.from({ length: C === 0 ? 0 : x.data.length / C }, (_, r) => r * C);
  return normAt(weights, name, nd(x.shape, x.data), starts, options);
}

/** a + b. */
export function plus(a: Nd, b: Nd): Nd {
  return nd(a.shape, a.data.map((v, i) => v + b.data[i]!));
}
