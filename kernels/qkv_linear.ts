import { record } from "../tensor/tape.ts";
import { emptyBatch, gradientBatch, type StridedBatch, stridedBatchOf } from "../tensor/strided_batch.ts";
import type { FloatType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofFloats, ofOperands, ofRank, ofShape, sameDevice } from "./internal/checks.ts";
import { gemm } from "./gemm/gemm.ts";
import { linear } from "./linear.ts";
import { sumItems } from "./internal/reduce_frames.ts";

/** Weight, [O, I], and bias, [O], of a linear layer. */
export interface LinearWeights {
  readonly w: Tensor;
  readonly b: Tensor;
}

/**
 * Several linear layers of the same sizes on the same input, such as the keys, values and queries of attention. Where their
 * weights lie at equal distances in one buffer, and their biases too, they are one product, and so are their gradients.
 *
 * @param x Inputs, [..., I], f32 or f16.
 * @param layers The layers, with weights of either type.
 * @param dtype Type of the results.
 * @returns Of each layer [..., O].
 * @throws {TypeError} If sizes do not match.
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 * import { qkvLinear } from "./qkv_linear.ts";
 *
 * const gpu = await requestGpu();
 * const [x, w, b] = [gpu.tensor([1, 2], [1, 2]), gpu.tensor([3, 4], [1, 2]), gpu.tensor([5])];
 * const [y] = qkvLinear(x, [{ w, b }, { w, b: gpu.tensor([6]) }]); // [[16]], and [[17]]
 * console.log(await y?.read());
 * gpu.destroy();
 * ```
 */
export function qkvLinear(x: Tensor, layers: readonly LinearWeights[], dtype: FloatType = "f32"): Tensor[] {
  const [ws, bs] = [layers.map(({ w }) => w), layers.map(({ b }) => b)];
  const [weights, biases] = [stridedBatchOf(ws), stridedBatchOf(bs)];
  if (!weights || !biases) {
    for (const row of [weights, biases]) row?.span.dispose();
    return layers.map(({ w, b }) => linear(x, w, b, { dtype }));
  }
  const doing = "apply linear layers";
  const [w, b] = [ws[0]!, bs[0]!];
  sameDevice(doing, x, w, b);
  ofOperands(doing, { x, w });
  ofFloats(doing, { b });
  ofRank(doing, "w", w, 2);
  const [outputs, inputs] = w.shape as [number, number];
  ofShape(doing, "x", x, [...x.shape.slice(0, -1), inputs]);
  ofShape(doing, "b", b, [outputs]);
  const { gpu } = x;
  const rows = x.size / inputs;
  const count = layers.length;
  const ys = emptyBatch(gpu, count, [...x.shape.slice(0, -1), outputs], dtype);
  const y = stridedBatchOf(ys)!;
  gemm(gpu, {
    m: rows,
    n: outputs,
    k: [1, inputs],
    batch: [1, count],
    a: { tensor: x, height: rows, row: inputs, alongK: true },
    b: { tensor: weights.span, height: outputs, row: inputs, alongK: true, z2: weights.step },
    c: { tensor: y.span, row: outputs, z2: y.step },
    bias: { tensor: biases.span, z2: biases.step },
  });
  for (const row of [biases, y]) row.span.dispose();

  record("qkvLinear", [x, ...ws, ...bs], ys, (dys, needs) => {
    const [needsW, needsB] = [
      needs.slice(1, 1 + count).includes(true),
      needs.slice(1 + count).includes(true),
    ];
    const dy = outputBatch(dys, ys);
    const images = { tensor: dy.span, height: rows, row: outputs };
    const dx = needs[0] ? gpu.empty(x.shape) : null;
    if (dx) {
      gemm(gpu, {
        m: rows,
        n: inputs,
        k: [count, outputs],
        a: { ...images, alongK: true, k1: dy.step },
        b: { tensor: weights.span, height: outputs, row: inputs, alongK: false, k1: weights.step },
        c: { tensor: dx, row: inputs },
      });
    }
    const dws = needsW ? gradientBatch(ws) : [];
    if (needsW) {
      const dw = stridedBatchOf(dws)!;
      gemm(gpu, {
        m: outputs,
        n: inputs,
        k: [1, rows],
        batch: [1, count],
        a: { ...images, alongK: false, z2: dy.step },
        b: { tensor: x, height: rows, row: inputs, alongK: false },
        c: { tensor: dw.span, row: inputs, z2: dw.step },
      });
      dw.span.dispose();
    }
    const dbs = needsB ? sumRows(dy, bs, rows) : [];
    dy.span.dispose();
    const all = <T>(found: readonly T[]) => found.length > 0 ? found : layers.map(() => null);
    return [dx, ...all(dws), ...all(dbs)];
  }, [weights.span]);
  return ys;
}

/** Gradients of the outputs as a row; those that there are none of are zeros. */
function outputBatch(dys: readonly (Tensor | null)[], ys: readonly Tensor[]): StridedBatch {
  const [y] = ys as [Tensor, ...Tensor[]];
  const given = dys.filter((dy) => dy !== null);
  const row = given.length === ys.length ? stridedBatchOf(given) : null;
  if (row) return row;
  const copies = emptyBatch(y.gpu, ys.length, y.shape);
  copies.forEach((copy, i) => {
    using zeros = dys[i] ? null : y.gpu.zeros(y.shape);
    y.gpu.copy(dys[i] ?? zeros!, copy);
  });
  const all = stridedBatchOf(copies)!;
  for (const copy of copies) copy.dispose();
  return all;
}

/** The gradients of the biases: sums over the rows of each layer. */
function sumRows(dy: StridedBatch, bs: readonly Tensor[], rows: number): Tensor[] {
  const dbs = gradientBatch(bs);
  const db = stridedBatchOf(dbs)!;
  sumItems(dy, [bs.length, rows, bs[0]!.size], db);
  db.span.dispose();
  return dbs;
}
