import index from "../tensor/_index.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import formula from "./_gelu.wgsl" with { type: "text" };
import source from "./activation.wgsl" with { type: "text" };
import { ofShape, ofType } from "./checks.ts";
import { reduceRows } from "./reduce_rows.ts";

const kernels = wideKernel("activation", source, [formula, index]);

/** What follows the sum of a linear layer or a convolution: y = gelu(u) · gate. */
export interface Activation {
  /** Applies GELU. */
  readonly gelu?: boolean;
  /** Gate of each output, [O]; it multiplies the output after GELU. */
  readonly gate?: Tensor | null;
}

/** @throws {TypeError} If the gate is not one number per output. */
export function checkActivation(doing: string, { gate }: Activation, outputs: number): void {
  if (!gate) return;
  ofShape(doing, "gate", gate, [outputs]);
  ofType(doing, "gate", gate, "f32");
}

/** Whether the pullback needs u itself. */
export function keepsPre({ gelu, gate }: Activation): boolean {
  return gelu === true || !!gate;
}

/**
 * Pulls dy back through an activation.
 *
 * @param dy Gradient of y, [..., O].
 * @param u What the activation was applied to, of dy's shape; null if {@linkcode keepsPre} says no.
 * @param needsGate Whether the gate wants its gradient.
 * @returns The gradients of u, a tensor that the caller disposes, and of the gate.
 */
export function pullActivation(
  dy: Tensor,
  u: Tensor | null,
  { gelu = false, gate = null }: Activation,
  needsGate: boolean,
): { du: Tensor; dgate: Tensor | null } {
  if (!u) return { du: dy.view(), dgate: null };
  const { gpu } = dy;
  const columns = dy.shape.at(-1)!;
  const du = gpu.empty(dy.shape);
  const a = gate ? gpu.empty(dy.shape) : null;
  runEach(gpu, kernels, dy.size, {
    columns,
    each: { dy, u, du, a },
    whole: { gate },
    constants: { GELU: gelu, GATE: gate !== null },
  });
  const dgate = a && needsGate ? reduceRows(dy, columns, a) : null;
  a?.dispose();
  return { du, dgate };
}
