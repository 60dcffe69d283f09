import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofType } from "./internal/checks.ts";
import { runSoftmaxRows, softmaxKernel } from "./internal/softmax_rows.ts";
import source from "./log_softmax.wgsl" with { type: "text" };

const kernel = softmaxKernel("log_softmax", source);

/**
 * Logarithm of the softmax over the last dimension, x − log Σ exp(x).
 *
 * @param x [..., V], V at least 1.
 * @returns A tensor of the same shape.
 * @throws {TypeError} If x is not f32, or is a scalar.
 * @throws {RangeError} If V exceeds a million.
 * @example
 * ```ts
 * import { logSoftmax, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = logSoftmax(gpu.tensor([0, 0], [1, 2])); // [[-0.693147, -0.693147]]
 * console.log(await y.read());
 * ```
 */
export function logSoftmax(x: Tensor): Tensor {
  ofType("apply log-softmax", "x", x, "f32");
  const columns = x.shape.at(-1);
  if (columns === undefined) {
    throw new TypeError("Cannot apply log-softmax as x must have a last dimension: found []");
  }
  const { gpu } = x;
  const size = [x.size / Math.max(1, columns), columns] as const;
  const y = gpu.empty(x.shape);
  runSoftmaxRows(gpu, kernel, size, { entry: "forward", rows: { x, y } });
  record("logSoftmax", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runSoftmaxRows(gpu, kernel, size, { entry: "backward", rows: { x: y, dy: dy!, dx } });
    return [dx];
  });
  return y;
}
