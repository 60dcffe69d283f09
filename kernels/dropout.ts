import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import generator from "./internal/_philox.wgsl" with { type: "text" };
import { ofType } from "./internal/checks.ts";
import source from "./dropout.wgsl" with { type: "text" };
import { type RandomStream, streamParams } from "../random/philox.ts";
import { runRows } from "../tensor/rows.ts";

const kernel = new Kernel("dropout", source, [generator, index]);

/** Options of {@linkcode dropout}, which drops the elements i whose `uniformAt(i, stream)` is below `p`. */
export interface DropoutOptions extends RandomStream {
  /** Share of the elements to drop, from 0 to 1, rounded to f32. */
  readonly p: number;
}

/**
 * Sets a random share of the elements to 0 and multiplies the others by 1/(1 − p), which keeps the expectation
 * (Srivastava et al. 2014, JMLR 15). The mask is a function of seed, purpose and step: it is drawn again for the
 * gradient and takes no memory.
 *
 * @param x Any shape.
 * @returns The shape of x; a view of x if p is 0.
 * @throws {TypeError} If x is not f32.
 * @throws {RangeError} If p is not from 0 to 1, or if seed or step is not a whole number below 2^32.
 * @example
 * ```ts
 * import { dropout, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([1, 2, 3, 4]);
 * const y = dropout(x, { p: 0.5, seed: 1, purpose: "dropout encoder.layers.3", step: 0 }); // [2, 0, 0, 8]
 * console.log(await y.read());
 * ```
 */
export function dropout(x: Tensor, { p, ...stream }: DropoutOptions): Tensor {
  ofType("drop", "x", x, "f32");
  if (!(p >= 0 && p <= 1)) throw new RangeError(`Cannot drop as p must be from 0 to 1: found ${p}`);
  const params = { ...streamParams(stream), p, s: p < 1 ? 1 / (1 - p) : 0 };
  const drop = (x: Tensor): Tensor => {
    if (p === 0) return x.view();
    const y = x.gpu.empty(x.shape);
    runRows(x.gpu, kernel, x.size, {
      entry: "forward",
      rows: { x, y },
      params: ({ row, rows }) => ({ n: rows, first: row / 4, ...params }),
      workgroups: ({ rows }) => Math.ceil(rows / 256),
    });
    return y;
  };

  const y = drop(x);
  record("dropout", [x], [y], ([dy]) => [drop(dy!)]);
  return y;
}
