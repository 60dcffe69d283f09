import index from "../tensor/_index.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import source from "./batch_norm.wgsl" with { type: "text" };
import { gate } from "./gate.ts";
import { ofShape, ofType, sameDevice } from "./internal/checks.ts";

const kernels = wideKernel("batch_norm", source, [index]);

/** Options of {@linkcode batchNorm}. */
export interface BatchNormOptions {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number;
}

/** Mean and variance of each channel, [C]: constants, which get no gradient. */
export interface ChannelStatistics {
  /** Means, [C]. */
  readonly mean: Tensor;
  /** Variances, [C]. */
  readonly variance: Tensor;
}

/**
 * Batch norm over the last dimension with given statistics, as at evaluation: y = (x − mean)/√(variance + eps)·w + b
 * (Ioffe and Szegedy 2015, arXiv 1502.03167).
 *
 * @param x Rows, [..., C].
 * @param w Weight, [C].
 * @param b Bias, [C].
 * @param statistics Running mean and variance of the channels.
 * @returns The shape of x.
 * @throws {TypeError} If weight, bias or statistics are not [C], or if a tensor is not f32.
 * @example
 * ```ts
 * import { batchNorm, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const [one, zero] = [gpu.tensor([1]), gpu.tensor([0])];
 * const y = batchNorm(gpu.tensor([5, 9], [2, 1]), one, zero, { mean: one, variance: gpu.tensor([4]) }); // [[2], [4]]
 * console.log(await y.read());
 * ```
 */
export function batchNorm(
  x: Tensor,
  w: Tensor,
  b: Tensor,
  statistics: ChannelStatistics,
  { eps = 1e-5 }: BatchNormOptions = {},
): Tensor {
  const { mean, variance } = statistics;
  const doing = "apply a batch norm";
  sameDevice(doing, x, w, b, mean, variance);
  ofType(doing, "x", x, "f32");
  const columns = x.shape.at(-1) ?? 1;
  for (const [name, tensor] of Object.entries({ w, b, mean, variance })) {
    ofShape(doing, name, tensor, [columns]);
    ofType(doing, name, tensor, "f32");
  }
  const { gpu } = x;
  const scaled = (from: Tensor, centred: boolean) => {
    const to = gpu.empty(x.shape);
    runEach(gpu, kernels, x.size, {
      entry: "forward",
      columns,
      each: { x: from, y: to },
      whole: { mean, variance },
      params: { eps },
      constants: { CENTRED: centred },
    });
    return to;
  };
  const y = scaled(x, true);
  record("batchNorm", [x], [y], ([dy]) => [scaled(dy!, false)]);
  return add(gate(y, w), b);
}
