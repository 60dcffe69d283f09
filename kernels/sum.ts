import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { flatWindows } from "../tensor/binding_windows.ts";
import { ofType } from "./internal/checks.ts";
import { runRows } from "../tensor/rows.ts";
import source from "./sum.wgsl" with { type: "text" };

const kernel = new Kernel("sum", source, [index]);

/** Terms that one invocation sums. */
const TERMS = 64;

/**
 * Sum of all elements, in passes, so that the rounding error grows with the logarithm of the size.
 *
 * @param x Any shape.
 * @returns A scalar, of shape [].
 * @throws {TypeError} If x is not f32.
 * @example
 * ```ts
 * import { requestGpu, sum } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const total = sum(gpu.tensor([1, 2, 3])); // 6
 * console.log(await total.read());
 * ```
 */
export function sum(x: Tensor): Tensor {
  ofType("sum", "x", x, "f32");
  const { gpu } = x;
  const y = x.size === 0 ? gpu.zeros([]) : total(x);
  record("sum", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runRows(gpu, kernel, dx.size, {
      entry: "backward",
      rows: { dx },
      whole: { dy: dy! },
      params: ({ rows }) => ({ n: rows, m: 1, first: 0 }),
      workgroups: ({ rows }) => Math.ceil(rows / 256),
    });
    return [dx];
  });
  return y;
}

function total(x: Tensor): Tensor {
  const { gpu } = x;
  const passes = flatWindows(gpu, x.size).map((window) => ({ window, m: Math.ceil(window.length / TERMS) }));
  const size = passes.reduce((size, { m }) => size + m, 0);
  const y = gpu.empty(size === 1 ? [] : [size]);
  let first = 0;
  for (const { window, m } of passes) {
    gpu.run(kernel, {
      entry: "forward",
      bind: { x: { tensor: x, ...window }, y },
      params: { n: window.length, m, first },
      workgroups: Math.ceil(m / 64),
    });
    first += m;
  }
  if (size === 1) return y;
  const sum = total(y);
  y.dispose();
  return sum;
}
