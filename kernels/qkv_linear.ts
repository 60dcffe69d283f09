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
 * Fused QKV linear: several linear layers of the same sizes on one input, such as keys, values and queries of attention. Where
 * their weights form a strided batch, and their biases too, they are one GEMM, and so are their gradients.
 *
 * @param x Inputs, [..., I], f32 or f16.
 * @param layers The layers, with weights of either type.
 * @param dtype Type of the results.
 * @returns The output of each layer, [..., O].
 * @throws {TypeError} If sizes do not match.
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 * import { qkvLinear } from "./qkv_linear.ts";
 *
 * using gpu = await requestGpu();
 * const [x, w, b] = [gpu.tensor([1, 2], [1, 2]), gpu.tensor([3, 4], [1, 2]), gpu.tensor([5])];
 * const [y] = qkvLinear(x, [{ w, b }, { w, b: gpu.tensor([6]) }]); // [[16]], and [[17]]
 * console.log(await y?.read());
 * ```
 */
export function qkvLinear(x: Tensor, layers: readonly LinearWeights[], dtype: FloatType = "f32"): Tensor[] {
  const [ws, bs] = [layers.map(({ w }) => w), layers.map(({ b }) => b)];
  const [weights, biases] = [stridedBatchOf(ws), stridedBatchOf(bs)];
  if (!weights || !biases) {
    for (const batch of [weights, biases]) batch?.span.dispose();
    return layers.map(({ w, b }) => linear(x, w, b, { dtype }));
  }
  const sizes = check(x, ws[0]!, bs[0]!, layers.length);
  const { rows, inputs, outputs, count } = sizes;
  const { gpu } = x;
  const ys = emptyBatch(gpu, count, [...x.shape.slice(0, -1), outputs], dtype);
  const y = stridedBatchOf(ys)!;
  gemm(gpu, {
    m: rows,
    n: outputs,
    k: [1, inputs],
    batch: [1, count],
    a: { tensor: x, height: rows, row: inputs, alongK: true },
    b: { tensor: weights.span, height: outputs, row: inputs, alongK: true, z2Stride: weights.step },
    c: { tensor: y.span, row: outputs, z2Stride: y.step },
    bias: { tensor: biases.span, z2Stride: biases.step },
  });
  for (const batch of [biases, y]) batch.span.dispose();

  record("qkvLinear", [x, ...ws, ...bs], ys, (dys, [needsX, ...needs]) => {
    const dy = outputBatch(dys, ys);
    const dx = needsX ? inputGradient(dy, x, weights, sizes) : null;
    const dws = needs.slice(0, count).includes(true) ? weightGradients(dy, x, ws, sizes) : ws.map(() => null);
    const dbs = needs.slice(count).includes(true) ? biasGradients(dy, bs, sizes) : bs.map(() => null);
    dy.span.dispose();
    return [dx, ...dws, ...dbs];
  }, [weights.span]);
  return ys;
}

interface Sizes {
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Number of layers. */
  readonly count: number;
}

function check(x: Tensor, w: Tensor, b: Tensor, count: number): Sizes {
  const doing = "apply linear layers";
  sameDevice(doing, x, w, b);
  ofOperands(doing, { x, w });
  ofFloats(doing, { b });
  ofRank(doing, "w", w, 2);
  const [outputs, inputs] = w.shape as [number, number];
  ofShape(doing, "x", x, [...x.shape.slice(0, -1), inputs]);
  ofShape(doing, "b", b, [outputs]);
  return { rows: x.size / inputs, inputs, outputs, count };
}

/** Gradients of the outputs as a strided batch; those of unused outputs are zeros. */
function outputBatch(dys: readonly (Tensor | null)[], ys: readonly Tensor[]): StridedBatch {
  const [y] = ys as [Tensor, ...Tensor[]];
  const given = dys.filter((dy) => dy !== null);
  const batch = given.length === ys.length ? stridedBatchOf(given) : null;
  if (batch) return batch;
  const copies = emptyBatch(y.gpu, ys.length, y.shape);
  copies.forEach((copy, i) => {
    using zeros = dys[i] ? null : y.gpu.zeros(y.shape);
    y.gpu.copy(dys[i] ?? zeros!, copy);
  });
  const all = stridedBatchOf(copies)!;
  for (const copy of copies) copy.dispose();
  return all;
}

/** dx = Σ dy·W over the layers, as one GEMM. */
function inputGradient(
  dy: StridedBatch,
  x: Tensor,
  weights: StridedBatch,
  { rows, inputs, outputs, count }: Sizes,
): Tensor {
  const dx = x.gpu.empty(x.shape);
  gemm(x.gpu, {
    m: rows,
    n: inputs,
    k: [count, outputs],
    a: { tensor: dy.span, height: rows, row: outputs, alongK: true, k1Stride: dy.step },
    b: { tensor: weights.span, height: outputs, row: inputs, alongK: false, k1Stride: weights.step },
    c: { tensor: dx, row: inputs },
  });
  return dx;
}

/** dW = dyᵀ·x of each layer, as one batched GEMM. */
function weightGradients(
  dy: StridedBatch,
  x: Tensor,
  ws: readonly Tensor[],
  { rows, inputs, outputs, count }: Sizes,
): Tensor[] {
  const dws = gradientBatch(ws);
  const dw = stridedBatchOf(dws)!;
  gemm(x.gpu, {
    m: outputs,
    n: inputs,
    k: [1, rows],
    batch: [1, count],
    a: { tensor: dy.span, height: rows, row: outputs, alongK: false, z2Stride: dy.step },
    b: { tensor: x, height: rows, row: inputs, alongK: false },
    c: { tensor: dw.span, row: inputs, z2Stride: dw.step },
  });
  dw.span.dispose();
  return dws;
}

/** db = Σ dy over the rows of each layer. */
function biasGradients(dy: StridedBatch, bs: readonly Tensor[], { rows, outputs, count }: Sizes): Tensor[] {
  const dbs = gradientBatch(bs);
  const db = stridedBatchOf(dbs)!;
  sumItems(dy, [count, rows, outputs], db);
  db.span.dispose();
  return dbs;
}
