import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Slice } from "../tensor/bind_groups.ts";
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { rowWindows } from "../tensor/binding_windows.ts";
import { overLanes } from "./internal/over_lanes.ts";
import stridedBatchOf from "./internal/_softmax_row.wgsl" with { type: "text" };
import { ofShape, ofType, sameDevice } from "./internal/checks.ts";
import source from "./kl_divergence.wgsl" with { type: "text" };
import { lanesOf } from "./log_softmax.ts";

const kernel = new Kernel("kl_divergence", source, [stridedBatchOf, overLanes, index]);

/**
 * Kullback–Leibler divergence of what a model says from what it should say, w·Σ p·(log p − log softmax(x)) over the
 * last dimension, in natural units.
 *
 * @param x Scores, [..., V], V at least 1.
 * @param target Logarithms of the probabilities p, as {@linkcode logSoftmax} gives them; of x's shape. It gets no
 * gradient.
 * @param weights Factors w, of x's shape without its last dimension. They get no gradient.
 * @returns The shape of x without its last dimension.
 * @throws {TypeError} If a tensor is not f32, x is a scalar, or the shapes differ.
 * @throws {RangeError} If V exceeds a million.
 * @example
 * ```ts
 * import { klDivergence, logSoftmax, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const target = logSoftmax(gpu.tensor([0, 0], [1, 2]));
 * const y = klDivergence(gpu.tensor([1, 0], [1, 2]), target, gpu.tensor([1])); // [0.120115]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function klDivergence(x: Tensor, target: Tensor, weights: Tensor): Tensor {
  const doing = "take a divergence";
  sameDevice(doing, x, target);
  sameDevice(doing, x, weights);
  ofType(doing, "x", x, "f32");
  ofType(doing, "target", target, "f32");
  ofType(doing, "weights", weights, "f32");
  const columns = x.shape.at(-1);
  if (columns === undefined) {
    throw new TypeError("Cannot take a divergence as x must have a last dimension: found []");
  }
  ofShape(doing, "target", target, x.shape);
  ofShape(doing, "weights", weights, x.shape.slice(0, -1));
  const { gpu } = x;
  const run = (entry: string, ofRow: Record<string, Tensor>, wide: Record<string, Tensor>) => {
    if (x.size === 0) return;
    for (const { row, rows } of rowWindows(gpu, x.size / columns, columns)) {
      const slice = (tensor: Tensor, width: number): Slice => {
        return { tensor, start: row * width, length: rows * width };
      };
      gpu.run(kernel, {
        entry,
        bind: {
          ...Object.fromEntries(Object.entries(ofRow).map(([name, tensor]) => [name, slice(tensor, 1)])),
          ...Object.fromEntries(Object.entries(wide).map(([name, tensor]) => [name, slice(tensor, columns)])),
        },
        params: { rows, columns },
        constants: { LANES: lanesOf(columns) },
        workgroups: Math.ceil(rows * lanesOf(columns) / 64),
      });
    }
  };
  const y = gpu.empty(x.shape.slice(0, -1));
  run("forward", { y, w: weights }, { x, t: target });
  record("klDivergence", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    run("backward", { dy: dy!, w: weights }, { x, t: target, dx });
    return [dx];
  });
  return y;
}
