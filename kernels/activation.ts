import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { rowWindows } from "../tensor/windows.ts";
import formula from "./_gelu.wgsl" with { type: "text" };
import source from "./activation.wgsl" with { type: "text" };
import { ofShape, ofType } from "./checks.ts";
import { reduceRows } from "./reduce_rows.ts";

const kernel = new Kernel("activation", source, [formula, index]);

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
  for (const { row, rows } of rowWindows(gpu, dy.size / columns, columns)) {
    const window = { start: row * columns, length: rows * columns };
    gpu.run(kernel, {
      bind: {
        dy: { tensor: dy, ...window },
        u: { tensor: u, ...window },
        gate,
        du: { tensor: du, ...window },
        a: a && { tensor: a, ...window },
      },
      params: { n: window.length, columns },
      constants: { GELU: gelu, GATE: gate !== null },
      workgroups: Math.ceil(window.length / 256),
    });
  }
  const dgate = a && needsGate ? reduceRows(dy, columns, a) : null;
  a?.dispose();
  return { du, dgate };
}
