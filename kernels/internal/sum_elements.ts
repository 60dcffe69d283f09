import index from "../../tensor/_index.wgsl" with { type: "text" };
import { flatWindows } from "../../tensor/binding_windows.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { wideKernel } from "../../tensor/rows.ts";
import { Tensor } from "../../tensor/tensor.ts";
import source from "../sum.wgsl" with { type: "text" };
import { overLanes } from "./over_lanes.ts";

const kernels = wideKernel("sum", source, [overLanes, index]);

/** The shader of sums over all elements, for tensors of any size. */
export const sumKernel = kernels.pick(1).kernel;

/** Elements, or groups of four, that one invocation adds. */
const TERMS = 64;

/**
 * Whether all invocations of a workgroup share a sum: with subgroups, on a GPU. On software adapters the barriers cost more than
 * the passes that they save: 4 million elements take twice the time (llvmpipe and SwiftShader).
 */
export const sharesSums = ({ subgroups, software }: Gpu): boolean => subgroups && !software;

/** What {@linkcode sumElements} adds, and where it writes the sum. */
export interface SumElements {
  /** Whether each element is squared. */
  readonly square?: boolean;
  /** Receives the sum; a new scalar unless given. */
  readonly y?: Tensor;
  /** Element of y that receives it; the first unless given. */
  readonly at?: number;
}

/**
 * Sum of all elements, in passes, so that the rounding error grows with the logarithm of the size. Not recorded
 * on the tape.
 *
 * @param x Any shape.
 * @returns y
 * @example
 * ```ts
 * import { requestGpu } from "../../mod.ts";
 * import { sumElements } from "./sum_elements.ts";
 *
 * using gpu = await requestGpu();
 * using x = gpu.tensor([1, 2, 3]);
 * console.log(await sumElements(x, { square: true }).read()); // 14
 * ```
 */
export function sumElements(
  x: Tensor,
  { square = false, y = x.gpu.empty([]), at = 0 }: SumElements = {},
): Tensor {
  const { gpu } = x;
  if (x.size === 0) {
    using zero = gpu.zeros([1]);
    using place = new Tensor(gpu, y.storage, [1], "f32", y.offset + at);
    gpu.copy(zero, place);
    return y;
  }
  const shared = sharesSums(gpu);
  const lanes = shared ? 64 : 1;
  const { kernel, width } = kernels.pick(shared ? x.size : 1);
  const passes = flatWindows(gpu, x.size).map((window) => ({
    window,
    m: Math.ceil(window.length / (width * TERMS * lanes)),
  }));
  const size = passes.reduce((size, { m }) => size + m, 0);
  const sums = size === 1 ? y : gpu.empty([size]);
  let first = size === 1 ? at : 0;
  for (const { window, m } of passes) {
    gpu.run(kernel, {
      entry: "forward",
      bind: { x: { tensor: x, ...window }, y: sums },
      params: { n: window.length / width, m, first },
      constants: { LANES: lanes, SQUARE: square },
      workgroups: Math.ceil(m * lanes / 64),
    });
    first += m;
  }
  if (sums === y) return y;
  sumElements(sums, { y, at });
  sums.dispose();
  return y;
}
