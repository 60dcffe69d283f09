import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofFloats, ofShape, sameDevice } from "./internal/checks.ts";
import { runSoftmaxRows, softmaxKernel } from "./internal/softmax_rows.ts";
import source from "./kl_divergence.wgsl" with { type: "text" };

const kernel = softmaxKernel("kl_divergence", source);

/**
 * Kullback–Leibler divergence from a target distribution p to a model's softmax, w·Σ p·(log p − log softmax(x)) over the last
 * dimension, in nats, as torch.nn.functional.kl_div after a log-softmax.
 *
 * @param x Scores of the model, [..., V], V at least 1.
 * @param target Logarithms of the probabilities p, as {@linkcode logSoftmax} returns them, of x's shape. It gets no gradient.
 * @param weights Factors w, of x's shape without its last dimension. They get no gradient.
 * @returns The shape of x without its last dimension.
 * @throws {TypeError} If a tensor is not f32, x is a scalar, or the shapes differ.
 * @throws {RangeError} If V exceeds a million.
 * @example
 * ```ts
 * import { klDivergence, logSoftmax, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const target = logSoftmax(gpu.tensor([0, 0], [1, 2]));
 * const y = klDivergence(gpu.tensor([1, 0], [1, 2]), target, gpu.tensor([1])); // [0.120115]
 * console.log(await y.read());
 * ```
 */
export function klDivergence(x: Tensor, target: Tensor, weights: Tensor): Tensor {
  const doing = "take a divergence";
  sameDevice(doing, x, target, weights);
  ofFloats(doing, { x, target, weights });
  const columns = x.shape.at(-1);
  if (columns === undefined) {
    throw new TypeError("Cannot take a divergence as x must have a last dimension: found []");
  }
  ofShape(doing, "target", target, x.shape);
  ofShape(doing, "weights", weights, x.shape.slice(0, -1));
  const { gpu } = x;
  const size = [weights.size, columns] as const;
  const y = gpu.empty(weights.shape);
  runSoftmaxRows(gpu, kernel, size, { entry: "forward", rows: { x, t: target, w: weights, y } });
  record("klDivergence", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runSoftmaxRows(gpu, kernel, size, {
      entry: "backward",
      rows: { x, t: target, w: weights, dy: dy!, dx },
    });
    return [dx];
  });
  return y;
}
