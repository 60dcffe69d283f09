import index from "../tensor/_index.wgsl" with { type: "text" };
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofShape, ofType, sameDevice } from "./internal/checks.ts";
import source from "./gate.wgsl" with { type: "text" };
import { reduceRows } from "./internal/reduce_rows.ts";
import { runEach, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("gate", source, [index]);

/**
 * Multiplies every channel by its gate. After a linear layer or a convolution, the option `gate` of that saves a pass.
 *
 * @param x Units, [..., C].
 * @param z Gates, [C]; the gradient of each is Σ dy·x over its channel.
 * @returns The shape of x.
 * @throws {TypeError} If z is not [C], or if a tensor is not f32.
 * @example
 * ```ts
 * import { gate, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = gate(gpu.tensor([1, 2, 3, 4], [2, 2]), gpu.tensor([0, 1])); // [[0, 2], [0, 4]]
 * console.log(await y.read());
 * ```
 */
export function gate(x: Tensor, z: Tensor): Tensor {
  sameDevice("gate", x, z);
  ofType("gate", "x", x, "f32");
  ofType("gate", "z", z, "f32");
  const channels = x.shape.at(-1) ?? 1;
  ofShape("gate", "z", z, [channels]);
  const { gpu } = x;
  const multiply = (x: Tensor, y: Tensor) =>
    runEach(gpu, kernels, x.size, { entry: "forward", columns: channels, each: { x, y }, whole: { z } });

  const y = gpu.empty(x.shape);
  multiply(x, y);
  record("gate", [x, z], [y], ([dy], [needsX, needsZ]) => {
    const dx = needsX ? gpu.empty(x.shape) : null;
    if (dx) multiply(dy!, dx);
    return [dx, needsZ ? reduceRows(dy!, channels, x, gradientSlot(z)) : null];
  });
  return y;
}
