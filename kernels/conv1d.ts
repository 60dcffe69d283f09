import type { Gpu } from "../tensor/gpu.ts";
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record, recording } from "../tensor/tape.ts";
import type { FloatType } from "../tensor/dtype.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Activation, checkActivation, keepsPre, pullActivation } from "./internal/activation.ts";
import { ofFloats, ofOperands, ofRank, ofShape, sameDevice } from "./internal/checks.ts";
import { gemm } from "./gemm/gemm.ts";

/** Options of {@linkcode conv1d}. */
export interface Conv1dOptions extends Activation {
  /** Stride in frames; 1 unless given. */
  readonly stride?: number;
  /** Type of the result; f32 unless given. */
  readonly dtype?: FloatType;
}

/**
 * Convolution over time without padding, channels last, as one implicit GEMM: output frame t reads the K·C elements from input
 * frame t·stride on. y = gelu(conv(x) + b) · gate; bias, GELU and gate are optional.
 *
 * @param x Inputs, [B, T, C], f32 or f16.
 * @param w Weight, [O, K, C]: taps before input channels; f32 or f16.
 * @param b Bias, [O], or null.
 * @returns [B, ⌊(T − K)/stride⌋ + 1, O]
 * @throws {TypeError} If sizes do not match.
 * @throws {RangeError} If the stride is not a positive whole number or T is below K.
 * @example
 * ```ts
 * import { conv1d, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([1, 2, 3, 4, 5], [1, 5, 1]);
 * const y = conv1d(x, gpu.tensor([1, 1, 1], [1, 3, 1]), null, { stride: 2 }); // [[[6], [12]]]
 * console.log(await y.read());
 * ```
 */
export function conv1d(
  x: Tensor,
  w: Tensor,
  b: Tensor | null = null,
  options: Conv1dOptions = {},
): Tensor {
  const { stride = 1, gelu = false, gate = null } = options;
  check(x, w, b, options);
  const { gpu } = x;
  const [batch, frames, channels] = x.shape as [number, number, number];
  const [outputs, taps] = w.shape as [number, number];
  const framesOut = Math.floor((frames - taps) / stride) + 1;

  const shape = [batch, framesOut, outputs];
  const from = [x, w, b, gate];
  const y = gpu.empty(shape, options.dtype);
  const pre = keepsPre(options) && recording(from) ? gpu.empty(shape) : null;
  gemm(gpu, {
    m: framesOut,
    n: outputs,
    k: [taps, channels],
    batch: [batch, 1],
    a: {
      tensor: x,
      height: frames,
      row: channels,
      alongK: true,
      step: stride,
      tap: 1,
      z1Stride: frames * channels,
    },
    b: { tensor: w, height: outputs * taps, row: channels, alongK: true, step: taps, tap: 1 },
    c: { tensor: y, row: outputs, z1Stride: framesOut * outputs },
    gelu,
    ...(b && { bias: { tensor: b } }),
    ...(gate && { gate: { tensor: gate } }),
    ...(pre && { pre }),
  });
  record("conv1d", from, [y], ([dy], [needsX, needsW, needsB, needsGate]) => {
    const { du, db, dgate } = pullActivation(dy!, pre, options, {
      bias: needsB ? b : null,
      gate: needsGate!,
    });
    const dx = needsX ? inputGradient(gpu, du, x.shape, w, stride) : null;
    const dw = needsW ? weightGradient(gpu, du, x, w, stride) : null;
    du.dispose();
    return [dx, dw, db, dgate];
  }, pre ? [pre] : []);
  return y;
}

/** One GEMM for each residue r of the input frame modulo the stride: frame q·stride + r meets the taps r + j·stride. */
function inputGradient(
  gpu: Gpu,
  dy: Tensor,
  shape: readonly number[],
  w: Tensor,
  stride: number,
): Tensor {
  const [batch, frames, channels] = shape as [number, number, number];
  const [outputs, taps] = w.shape as [number, number];
  const framesOut = dy.shape[1]!;
  const dx = stride > taps ? gpu.zeros(shape) : gpu.empty(shape);
  for (let residue = 0; residue < Math.min(stride, taps); residue++) {
    gemm(gpu, {
      m: Math.ceil((frames - residue) / stride),
      n: channels,
      k: [Math.ceil((taps - residue) / stride), outputs],
      batch: [batch, 1],
      a: {
        tensor: dy,
        height: framesOut,
        row: outputs,
        alongK: true,
        tap: -1,
        z1Stride: framesOut * outputs,
      },
      b: {
        tensor: w,
        height: outputs * taps,
        row: channels,
        alongK: false,
        y0: residue,
        step: taps,
        tap: stride,
      },
      c: {
        tensor: dx,
        offset: residue * channels,
        row: stride * channels,
        z1Stride: frames * channels,
      },
    });
  }
  return dx;
}

/** The transposed GEMM over the same overlapping rows, summed over the batch. */
function weightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  stride: number,
): Tensor {
  const [batch, frames, channels] = x.shape as [number, number, number];
  const [outputs, taps] = w.shape as [number, number];
  const framesOut = dy.shape[1]!;
  const dw = gradientSlot(w);
  const rows = { height: framesOut, alongK: false };
  gemm(gpu, {
    m: outputs,
    n: taps * channels,
    k: [batch, framesOut],
    a: { tensor: dy, ...rows, row: outputs, k1Stride: framesOut * outputs },
    b: { tensor: x, ...rows, row: stride * channels, k1Stride: frames * channels },
    c: { tensor: dw, row: taps * channels },
  });
  return dw;
}

function check(x: Tensor, w: Tensor, b: Tensor | null, options: Conv1dOptions): void {
  const { stride = 1, gate = null } = options;
  sameDevice("convolve", x, w, b, gate);
  ofOperands("convolve", { x, w });
  ofFloats("convolve", { b });
  ofRank("convolve", "x", x, 3);
  ofRank("convolve", "w", w, 3);
  const [, frames, channels] = x.shape as [number, number, number];
  const [outputs, taps] = w.shape as [number, number];
  const show = `x is ${showShape(x.shape)}, w is ${showShape(w.shape)}`;
  if (w.shape[2] !== channels) {
    throw new TypeError(`Cannot convolve as input channels must be equal: ${show}`);
  }
  if (!Number.isInteger(stride) || stride < 1) {
    throw new RangeError(`Cannot convolve as the stride must be a positive whole number: ${stride}`);
  }
  if (frames < taps) {
    throw new RangeError(`Cannot convolve as there must be a frame for every tap: ${show}`);
  }
  if (b) ofShape("convolve", "b", b, [outputs]);
  checkActivation("convolve", options, outputs);
}
