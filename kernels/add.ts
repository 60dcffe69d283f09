import index from "../tensor/_index.wgsl" with { type: "text" };
import { record } from "../tensor/tape.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import source from "./add.wgsl" with { type: "text" };
import { ofType, sameDevice } from "./internal/checks.ts";
import { reduceRows } from "./internal/reduce_rows.ts";
import { runEach, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("add", source, [index]);

/**
 * Sum of two tensors, elementwise. `b` is broadcast along the leading dimensions of `a`; its gradient is then the sum over
 * them.
 *
 * @param a Any shape.
 * @param b The shape of `a` or a suffix of it, as [C] is of [B, T, C].
 * @returns The shape of `a`.
 * @throws {TypeError} If the shape of `b` is not a suffix of that of `a`, or if a tensor is not f32.
 * @example
 * ```ts
 * import { add, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = add(gpu.tensor([1, 2, 3, 4], [2, 2]), gpu.tensor([10, 20])); // [[11, 22], [13, 24]]
 * console.log(await y.read());
 * ```
 */
export function add(a: Tensor, b: Tensor): Tensor {
  sameDevice("add", a, b);
  ofType("add", "a", a, "f32");
  ofType("add", "b", b, "f32");
  const lead = a.shape.length - b.shape.length;
  if (lead < 0 || b.shape.some((n, i) => n !== a.shape[lead + i])) {
    throw new TypeError(
      `Cannot add as b's shape must be a suffix of a's: a is ${showShape(a.shape)}, b is ${
        showShape(b.shape)
      }`,
    );
  }
  const { gpu } = a;
  const broadcast = b.size !== a.size;
  const y = gpu.empty(a.shape);
  runEach(gpu, kernels, a.size, {
    entry: "forward",
    columns: b.size,
    each: broadcast ? { a, y } : { a, b, y },
    whole: broadcast ? { b } : {},
    constants: { BROADCAST: broadcast },
  });
  record("add", [a, b], [y], ([dy], [needsA, needsB]) => {
    const da = needsA ? dy!.view() : null;
    if (!needsB) return [da, null];
    if (!broadcast) return [da, dy!.view(b.shape)];
    const sums = reduceRows(dy!, b.size);
    const db = sums.view(b.shape);
    sums.dispose();
    return [da, db];
  });
  return y;
}
