import index from "../../tensor/_index.wgsl" with { type: "text" };
import { runRows, wideKernel } from "../../tensor/rows.ts";
import { gradientSlot } from "../../tensor/gradient_sink.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import formula from "./_gelu.wgsl" with { type: "text" };
import source from "./activation.wgsl" with { type: "text" };
import { ofShape, ofType } from "./checks.ts";
import { reduceRows } from "./reduce_rows.ts";

const kernels = wideKernel("activation", source, [formula, index]);

/** Rows per invocation: many on a software adapter, where more partial sums cost more than the parallel work saves. */
const RUN = { software: 64, hardware: 8 };

/** Activation after a linear layer or a convolution: y = gelu(u) · gate. */
export interface Activation {
  /** Applies GELU. */
  readonly gelu?: boolean;
  /** Gate of each output, [O]; it multiplies the output after GELU. */
  readonly gate?: Tensor | null;
}

/** @throws {TypeError} If the gate is not f32 of shape [O]. */
export function checkActivation(doing: string, { gate }: Activation, outputs: number): void {
  if (!gate) return;
  ofShape(doing, "gate", gate, [outputs]);
  ofType(doing, "gate", gate, "f32");
}

/** Whether the pullback needs u. */
export function keepsPre({ gelu, gate }: Activation): boolean {
  return gelu === true || !!gate;
}

/** Gradients that {@linkcode pullActivation} returns. */
export interface ActivationGradients {
  /** Of u; the caller disposes it. */
  readonly du: Tensor;
  /** Of the bias, [O]; null if not needed. */
  readonly db: Tensor | null;
  /** Of the gate, [O]; null if not needed. */
  readonly dgate: Tensor | null;
}

/**
 * The pullback of an activation and of the bias before it.
 *
 * @param dy Gradient of y, [..., O].
 * @param u Input of the activation, of dy's shape; null if {@linkcode keepsPre} returns false.
 * @param needs The bias, if its gradient is needed, and whether the gate's gradient is.
 */
export function pullActivation(
  dy: Tensor,
  u: Tensor | null,
  { gelu = false, gate = null }: Activation,
  needs: { readonly bias: Tensor | null; readonly gate: boolean },
): ActivationGradients {
  const columns = dy.shape.at(-1)!;
  const biasGradient = (rows: Tensor) => {
    return needs.bias ? reduceRows(rows, columns, null, gradientSlot(needs.bias)) : null;
  };
  if (!u || dy.size === 0) {
    return {
      du: dy.view(),
      db: biasGradient(dy),
      dgate: gate ? dy.gpu.zeros([columns]) : null,
    };
  }
  const { gpu } = dy;
  const count = dy.size / columns;
  const run = gpu.software ? RUN.software : RUN.hardware;
  const du = gpu.empty(dy.shape);
  const sums = gpu.empty([Math.ceil(count / run), columns]);
  const dots = gate ? gpu.empty(sums.shape) : null;
  const { kernel, width } = kernels.pick(columns);
  runRows(gpu, kernel, count, {
    rows: { dy, u, du },
    whole: { gate, sums, dots },
    params: ({ row, rows }) => ({ rows, columns: columns / width, part: row / run }),
    constants: { RUN: run, GELU: gelu, GATE: gate !== null },
    workgroups: ({ rows }) => Math.ceil(Math.ceil(rows / run) * columns / width / 64),
  });
  const db = biasGradient(sums);
  const dgate = dots && needs.gate ? reduceRows(dots, columns, null, gradientSlot(gate!)) : null;
  sums.dispose();
  dots?.dispose();
  return { du, db, dgate };
}
