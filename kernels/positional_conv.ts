import type { Gpu } from "../tensor/gpu.ts";
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record, recording } from "../tensor/tape.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Activation, keepsPre, pullActivation } from "./internal/activation.ts";
import { ofFloats, ofRank, ofShape, sameDevice } from "./internal/checks.ts";
import { gemm } from "./gemm/gemm.ts";

/** Options of {@linkcode positionalConv}. */
export interface PositionalConvOptions {
  /** Number of groups of channels. */
  readonly groups: number;
  /** Applies GELU. */
  readonly gelu?: boolean;
}

/** B, T, groups, channels of a group, K, and frames of padding. */
interface Sizes {
  readonly batch: number;
  readonly frames: number;
  readonly groups: number;
  readonly width: number;
  readonly taps: number;
  readonly padding: number;
}

/**
 * Grouped convolution over time with ⌊K/2⌋ zeros on both sides: the positional embedding of wav2vec 2.0 (arXiv 2006.11477). For
 * an even K the last frame is dropped, so that the number of frames stays.
 *
 * @param x Inputs, [B, T, C].
 * @param w Weight, [C, K, C/groups], after {@linkcode weightNorm}.
 * @param b Bias, [C], or null.
 * @returns [B, T, C]
 * @throws {TypeError} If sizes do not match.
 * @example
 * ```ts
 * import { positionalConv, requestGpu, weightNorm } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const w = weightNorm(gpu.tensor([5, 5, 5], [1, 3, 1]), gpu.tensor([1, 1, 1]));
 * const y = positionalConv(gpu.tensor([1, 2, 3], [1, 3, 1]), w, null, { groups: 1 }); // [[[3], [6], [5]]]
 * console.log(await y.read());
 * ```
 */
export function positionalConv(
  x: Tensor,
  w: Tensor,
  b: Tensor | null,
  options: PositionalConvOptions,
): Tensor {
  const sizes = check(x, w, b, options);
  const { batch, frames, groups, width, taps, padding } = sizes;
  const channels = groups * width;
  const { gpu } = x;
  const activation: Activation = { gelu: options.gelu ?? false };
  const from = [x, w, b];
  const y = gpu.empty(x.shape);
  const pre = keepsPre(activation) && recording(from) ? gpu.empty(x.shape) : null;
  gemm(gpu, {
    m: frames,
    n: width,
    k: [taps, width],
    batch: [batch, groups],
    a: { ...images(x, sizes), alongK: true, y0: -padding, tap: 1 },
    b: { ...filters(w, sizes), alongK: true, step: taps, tap: 1 },
    c: { tensor: y, row: channels, z1Stride: frames * channels, z2Stride: width },
    gelu: activation.gelu ?? false,
    ...(b && { bias: { tensor: b, z2Stride: width } }),
    ...(pre && { pre }),
  });
  record("positionalConv", from, [y], ([dy], [needsX, needsW, needsB]) => {
    const { du, db } = pullActivation(dy!, pre, activation, { bias: needsB ? b : null, gate: false });
    let dx: Tensor | null = null;
    if (needsX) {
      dx = gpu.empty(x.shape);
      gemm(gpu, {
        m: frames,
        n: width,
        k: [taps, width],
        batch: [batch, groups],
        a: { ...images(du, sizes), alongK: true, y0: padding, tap: -1 },
        b: { ...filters(w, sizes), alongK: false, step: taps, tap: 1 },
        c: { tensor: dx, row: channels, z1Stride: frames * channels, z2Stride: width },
      });
    }
    const dw = needsW ? weightGradient(gpu, du, x, w, sizes) : null;
    du.dispose();
    return [dx, dw, db];
  }, pre ? [pre] : []);
  return y;
}

/** Images of one utterance (z1) and group (z2) each. */
const images = (tensor: Tensor, { frames, groups, width }: Sizes) => ({
  tensor,
  height: frames,
  row: groups * width,
  z1Stride: frames * groups * width,
  z2Stride: width,
});

/** Images of one group's filters: a row per output channel and tap. */
const filters = (tensor: Tensor, { width, taps }: Sizes) => ({
  tensor,
  height: width * taps,
  row: width,
  z2Stride: width * taps * width,
});

/** One GEMM per group (z1) and tap (z2), summed over the utterances (k1). */
function weightGradient(
  gpu: Gpu,
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  { batch, frames, groups, width, taps, padding }: Sizes,
): Tensor {
  const dw = gradientSlot(w);
  const image = { height: frames, row: groups * width, z1Stride: width, k1Stride: frames * groups * width };
  gemm(gpu, {
    m: width,
    n: width,
    k: [batch, frames],
    batch: [groups, taps],
    a: { tensor: dy, ...image, alongK: false },
    b: { tensor: x, ...image, alongK: false, y0: -padding, z2Step: 1 },
    c: { tensor: dw, row: taps * width, z1Stride: width * taps * width, z2Stride: width },
  });
  return dw;
}

function check(
  x: Tensor,
  w: Tensor,
  b: Tensor | null,
  { groups }: PositionalConvOptions,
): Sizes {
  sameDevice("convolve", x, w, b);
  ofFloats("convolve", { x, w, b });
  ofRank("convolve", "x", x, 3);
  ofRank("convolve", "w", w, 3);
  const [batch, frames, channels] = x.shape as [number, number, number];
  const [outputs, taps, width] = w.shape as [number, number, number];
  if (outputs !== channels || width * groups !== channels) {
    throw new TypeError(
      `Cannot convolve as w must be [C, K, C/groups] with ${groups} groups: x is ${
        showShape(x.shape)
      }, w is ${showShape(w.shape)}`,
    );
  }
  if (b) ofShape("convolve", "b", b, [channels]);
  return { batch, frames, groups, width, taps, padding: Math.floor(taps / 2) };
}
