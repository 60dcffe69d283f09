import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record, recording } from "../tensor/tape.ts";
import type { FloatType } from "../tensor/dtype.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Activation, checkActivation, keepsPre, pullActivation } from "./internal/activation.ts";
import { ofFloats, ofOperands, ofRank, ofShape, sameDevice } from "./internal/checks.ts";
import { gemm } from "./gemm/gemm.ts";

/** Epilogue of {@linkcode linear}: y = gelu(x·Wᵀ + b) · gate + residual. */
export interface LinearOptions extends Activation {
  /** Added to the result, of its shape. */
  readonly residual?: Tensor | null;
  /** Type of the result; f32 unless given. */
  readonly dtype?: FloatType;
}

/**
 * Linear layer as one GEMM with its epilogue: y = gelu(x·Wᵀ + b) · gate + residual; GELU, gate and residual are optional.
 *
 * @param x Inputs, [..., I], f32 or f16.
 * @param w Weight, [O, I], as checkpoints store it, f32 or f16.
 * @param b Bias, [O], or null.
 * @returns [..., O]
 * @throws {TypeError} If sizes do not match.
 * @example
 * ```ts
 * import { linear, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([1, 2], [1, 2]);
 * const w = gpu.tensor([0, 1, 1, 0], [2, 2]);
 * const h = linear(x, w, gpu.tensor([10, 20]), { gelu: true, gate: gpu.tensor([1, 0]) }); // [[12, 0]]
 * const y = linear(h, w, null, { residual: x }); // [[1, 14]]
 * console.log(await y.read());
 * ```
 */
export function linear(
  x: Tensor,
  w: Tensor,
  b: Tensor | null = null,
  options: LinearOptions = {},
): Tensor {
  const { gelu = false, gate = null, residual = null } = options;
  const shape = check(x, w, b, options);
  const { gpu } = x;
  const [outputs, inputs] = w.shape as [number, number];
  const rows = x.size / inputs;
  const from = [x, w, b, gate, residual];
  const y = gpu.empty(shape, options.dtype);
  // u = x·Wᵀ + b, which the pullback of GELU and gate needs.
  const pre = keepsPre(options) && recording(from) ? gpu.empty(shape) : null;
  gemm(gpu, {
    m: rows,
    n: outputs,
    k: [1, inputs],
    a: { tensor: x, height: rows, row: inputs, alongK: true },
    b: { tensor: w, height: outputs, row: inputs, alongK: true },
    c: { tensor: y, row: outputs },
    gelu,
    ...(b && { bias: { tensor: b } }),
    ...(gate && { gate: { tensor: gate } }),
    ...(pre && { pre }),
    ...(residual && { residual }),
  });
  record("linear", from, [y], ([dy], [needsX, needsW, needsB, needsGate, needsResidual]) => {
    const { du, db, dgate } = pullActivation(dy!, pre, options, {
      bias: needsB ? b : null,
      gate: needsGate!,
    });
    const dx = needsX ? inputGradient(du, x, w) : null;
    const dw = needsW ? weightGradient(du, x, w) : null;
    du.dispose();
    return [dx, dw, db, dgate, needsResidual ? dy!.view() : null];
  }, pre ? [pre] : []);
  return y;
}

/** dx = du·W. */
function inputGradient(du: Tensor, x: Tensor, w: Tensor): Tensor {
  const [outputs, inputs] = w.shape as [number, number];
  const rows = x.size / inputs;
  const dx = x.gpu.empty(x.shape);
  gemm(x.gpu, {
    m: rows,
    n: inputs,
    k: [1, outputs],
    a: { tensor: du, height: rows, row: outputs, alongK: true },
    b: { tensor: w, height: outputs, row: inputs, alongK: false },
    c: { tensor: dx, row: inputs },
  });
  return dx;
}

/** dW = duᵀ·x. */
function weightGradient(du: Tensor, x: Tensor, w: Tensor): Tensor {
  const [outputs, inputs] = w.shape as [number, number];
  const rows = x.size / inputs;
  const dw = gradientSlot(w);
  gemm(x.gpu, {
    m: outputs,
    n: inputs,
    k: [1, rows],
    a: { tensor: du, height: rows, row: outputs, alongK: false },
    b: { tensor: x, height: rows, row: inputs, alongK: false },
    c: { tensor: dw, row: inputs },
  });
  return dw;
}

/** Returns the shape of the result. */
function check(x: Tensor, w: Tensor, b: Tensor | null, options: LinearOptions): number[] {
  const doing = "apply a linear layer";
  const { gate = null, residual = null } = options;
  sameDevice(doing, x, w, b, gate, residual);
  ofOperands(doing, { x, w });
  ofFloats(doing, { b, residual });
  ofRank(doing, "w", w, 2);
  const [outputs, inputs] = w.shape as [number, number];
  if (x.shape.at(-1) !== inputs) {
    const found = `x is ${showShape(x.shape)}, w is ${showShape(w.shape)}`;
    throw new TypeError(`Cannot ${doing} as inner sizes must be equal: ${found}`);
  }
  if (b) ofShape(doing, "b", b, [outputs]);
  checkActivation(doing, options, outputs);
  const shape = [...x.shape.slice(0, -1), outputs];
  if (residual) ofShape(doing, "residual", residual, shape);
  return shape;
}
