import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Slice } from "../tensor/bind_groups.ts";
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { rowWindows } from "../tensor/binding_windows.ts";
import { overLanes } from "./internal/over_lanes.ts";
import stridedBatchOf from "./internal/_softmax_row.wgsl" with { type: "text" };
import { ofType } from "./internal/checks.ts";
import source from "./log_softmax.wgsl" with { type: "text" };

const kernel = new Kernel("log_softmax", source, [stridedBatchOf, overLanes, index]);

/**
 * Invocations that share a row of so many columns: all 64 of a workgroup where one alone would loop for long.
 *
 * @throws {RangeError} If there are more than a million, for which even 64 loop longer than adapters let them.
 */
export function lanesOf(columns: number): number {
  if (columns > 1e6) {
    throw new RangeError(`Cannot apply a softmax as rows have at most a million columns: found ${columns}`);
  }
  return columns > 1024 ? 64 : 1;
}

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
 * const gpu = await requestGpu();
 * const y = logSoftmax(gpu.tensor([0, 0], [1, 2])); // [[-0.693147, -0.693147]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function logSoftmax(x: Tensor): Tensor {
  ofType("apply log-softmax", "x", x, "f32");
  const columns = x.shape.at(-1);
  if (columns === undefined) {
    throw new TypeError("Cannot apply log-softmax as x must have a last dimension: found []");
  }
  const { gpu } = x;
  const run = (entry: string, bind: Record<string, Tensor>) => {
    if (x.size === 0) return;
    for (const { row, rows } of rowWindows(gpu, x.size / columns, columns)) {
      const slice = (tensor: Tensor): Slice => ({ tensor, start: row * columns, length: rows * columns });
      gpu.run(kernel, {
        entry,
        bind: Object.fromEntries(Object.entries(bind).map(([name, tensor]) => [name, slice(tensor)])),
        params: { rows, columns },
        constants: { LANES: lanesOf(columns) },
        workgroups: Math.ceil(rows * lanesOf(columns) / 64),
      });
    }
  };
  const y = gpu.empty(x.shape);
  run("forward", { x, y });
  record("logSoftmax", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    run("backward", { x: y, dy: dy!, dx });
    return [dx];
  });
  return y;
}
