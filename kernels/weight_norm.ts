import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record } from "../tensor/tape.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofFloats, ofRank, sameDevice } from "./internal/checks.ts";
import { reduceRows } from "./internal/reduce_rows.ts";
import source from "./weight_norm.wgsl" with { type: "text" };

const kernel = new Kernel("weight_norm", source, [index]);

/**
 * Weight norm per tap, as in the positional convolution: w[:, k, :] = g[k]·v[:, k, :]/‖v[:, k, :]‖₂ (Salimans and Kingma 2016,
 * arXiv 1602.07868, over all dimensions but the taps).
 *
 * @param v Directions, [C, K, W].
 * @param g Lengths, K elements in any shape.
 * @returns [C, K, W]
 * @throws {TypeError} If there is not one length per tap.
 * @example
 * ```ts
 * import { requestGpu, weightNorm } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const w = weightNorm(gpu.tensor([3, 4], [2, 1, 1]), gpu.tensor([10])); // [[[6]], [[8]]]
 * console.log(await w.read());
 * ```
 */
export function weightNorm(v: Tensor, g: Tensor): Tensor {
  sameDevice("norm a weight", v, g);
  ofFloats("norm a weight", { v, g });
  ofRank("norm a weight", "v", v, 3);
  const [, taps, width] = v.shape as [number, number, number];
  if (g.size !== taps) {
    throw new TypeError(
      `Cannot norm a weight as there must be one length per tap: v is ${showShape(v.shape)}, g is ${
        showShape(g.shape)
      }`,
    );
  }
  const { gpu } = v;
  const elements = { params: { n: v.size, taps, width }, workgroups: Math.ceil(v.size / 256) };
  const perTap = { params: { n: taps, taps, width }, workgroups: Math.ceil(taps / 64) };
  const sumTaps = (x: Tensor, times: Tensor) => {
    const columns = reduceRows(x, taps * width, times);
    const total = gpu.empty([taps]);
    gpu.run(kernel, { entry: "taps", bind: { columns, total }, ...perTap });
    columns.dispose();
    return total;
  };

  const squares = sumTaps(v, v);
  const w = gpu.empty(v.shape);
  gpu.run(kernel, { entry: "forward", bind: { v, g, squares, w }, ...elements });
  record("weightNorm", [v, g], [w], ([dw], [needsV, needsG]) => {
    const dots = sumTaps(dw!, v);
    const dv = needsV ? gradientSlot(v) : null;
    if (dv) {
      const bind = { v, g, squares, dots, dw: dw!, dv };
      gpu.run(kernel, { entry: "backward", bind, ...elements });
    }
    const dg = needsG ? gradientSlot(g) : null;
    if (dg) gpu.run(kernel, { entry: "backward_g", bind: { squares, dots, dg }, ...perTap });
    dots.dispose();
    return [dv, dg];
  }, [squares]);
  return w;
}
