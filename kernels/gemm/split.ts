// Splits a GEMM that exceeds the adapter's limits into two.
import { batchOf, type GemmProblem, type Operand, type Vector } from "./problem.ts";

type Pair = readonly [GemmProblem, GemmProblem];

const moved = (operand: Operand, elements: number, rows = 0): Operand => ({
  ...operand,
  offset: (operand.offset ?? 0) + elements,
  y0: (operand.y0 ?? 0) + rows,
});

/** Moves an operand by `count` of k2 (`inner`) or of m or n. */
const along = (operand: Operand, inner: boolean, count: number): Operand =>
  operand.alongK === inner ? moved(operand, count) : moved(operand, 0, count * (operand.step ?? 1));

const place = ({ c }: GemmProblem, elements: number) => ({ ...c, offset: (c.offset ?? 0) + elements });

/** The vectors of the epilogue, each moved by `elements` of it. */
function vectors(
  { bias, gate }: GemmProblem,
  elements: (v: Vector) => number,
): Pick<GemmProblem, "bias" | "gate"> {
  const to = (v: Vector): Vector => ({ ...v, offset: (v.offset ?? 0) + elements(v) });
  return { ...(bias && { bias: to(bias) }), ...(gate && { gate: to(gate) }) };
}

/** Half of an extent, a multiple of 16 where it is long. */
const half = (extent: number) => extent > 32 ? Math.ceil(extent / 32) * 16 : extent >> 1;

function byBatch(problem: GemmProblem): Pair | null {
  const { a, b, c } = problem;
  const [z1, z2] = batchOf(problem);
  if (z1 > 1) {
    const h = z1 >> 1;
    const rest = {
      a: moved(a, h * (a.z1Stride ?? 0)),
      b: moved(b, h * (b.z1Stride ?? 0)),
      c: place(problem, h * (c.z1Stride ?? 0)),
    };
    return [{ ...problem, batch: [h, z2] }, { ...problem, ...rest, batch: [z1 - h, z2] }];
  }
  if (z2 === 1) return null;
  const h = z2 >> 1;
  const rest = {
    a: moved(a, h * (a.z2Stride ?? 0), h * (a.z2Step ?? 0)),
    b: moved(b, h * (b.z2Stride ?? 0), h * (b.z2Step ?? 0)),
    c: place(problem, h * (c.z2Stride ?? 0)),
    ...vectors(problem, (v) => h * (v.z2Stride ?? 0)),
  };
  return [{ ...problem, batch: [1, h] }, { ...problem, ...rest, batch: [1, z2 - h] }];
}

function byK(problem: GemmProblem): Pair | null {
  const { k: [k1, k2], a, b } = problem;
  const { bias: _bias, gelu: _gelu, pre: _pre, gate: _gate, residual: _residual, ...raw } = problem;
  if (k1 > 1) {
    const h = k1 >> 1;
    const shift = (o: Operand) => moved(o, h * (o.k1Stride ?? 0), h * (o.tap ?? 0));
    const rest = { a: shift(a), b: shift(b), accumulate: true };
    return [{ ...raw, k: [h, k2] }, { ...problem, ...rest, k: [k1 - h, k2] }];
  }
  if (k2 === 1) return null;
  const h = k2 > 8 ? Math.ceil(k2 / 8) * 4 : k2 >> 1;
  const rest = { a: along(a, true, h), b: along(b, true, h), accumulate: true };
  return [{ ...raw, k: [1, h] }, { ...problem, ...rest, k: [1, k2 - h] }];
}

function byRows(problem: GemmProblem): Pair | null {
  const { m, a, c } = problem;
  if (m === 1) return null;
  const h = half(m);
  const rest = { a: along(a, false, h), c: place(problem, h * c.row) };
  return [{ ...problem, m: h }, { ...problem, ...rest, m: m - h }];
}

function byColumns(problem: GemmProblem): Pair | null {
  const { n, b } = problem;
  if (n === 1) return null;
  const h = half(n);
  const rest = {
    b: along(b, false, h),
    c: place(problem, h),
    ...vectors(problem, (v) => h * (v.nStride ?? 1)),
  };
  return [{ ...problem, n: h }, { ...problem, ...rest, n: n - h }];
}

/**
 * Two GEMMs that together are the given one: halves of the batch, or else of K, the rows or the columns, whichever exceeds the
 * limits least.
 *
 * @param excess How far a GEMM exceeds the limits.
 * @throws {RangeError} If there is nothing left to halve.
 */
export function halves(problem: GemmProblem, excess: (problem: GemmProblem) => number): Pair {
  const { m, n, k: [k1, k2] } = problem;
  const batch = byBatch(problem);
  if (batch) return batch;
  // Of equally good ways the longest extent comes first; halving K costs one more pass over C.
  const outer = m >= n ? [byRows, byColumns] : [byColumns, byRows];
  const ways = k1 * k2 >= Math.max(65, m, n) ? [byK, ...outer] : [...outer, byK];
  const pairs = ways.map((way) => way(problem)).filter((pair) => pair !== null);
  const [best] = pairs.map((pair) => ({ pair, beyond: Math.max(...pair.map(excess)) }))
    .toSorted((a, b) => a.beyond - b.beyond);
  if (!best) throw new RangeError("Cannot multiply as a single term exceeds the limits of the adapter");
  return best.pair;
}
