import index from "../tensor/_index.wgsl" with { type: "text" };
import { noGrad, record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofRank, ofShape, ofType, sameDevice } from "./checks.ts";
import source from "./group_norm.wgsl" with { type: "text" };
import { uploadLengths } from "./lengths.ts";
import { maskFrames } from "./mask_frames.ts";
import { finishFrames, reduceFrames } from "./reduce_frames.ts";
import { reduceRows } from "./reduce_rows.ts";
import { runEach, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("group_norm", source, [index]);

/** Options of {@linkcode groupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number;
  /** Valid frames of each item, [B]: the others do not count, and become 0. All T unless given. */
  readonly lengths?: readonly number[] | null;
}

/**
 * Group norm with one group per channel: y = (x − mean)/√(variance + eps)·w + b, with the mean and the biased
 * variance of each channel of each item over its frames (Wu and He 2018, arXiv 1803.08494).
 *
 * @param x Frames, [B, T, C]. Padding counts like any frame where no lengths are given.
 * @param w Weight, [C].
 * @param b Bias, [C].
 * @returns [B, T, C]
 * @throws {TypeError} If w and b are not one number per channel, if there is not one length per
 * item, or if a tensor is not f32.
 * @throws {RangeError} If a length is no whole number from 0 to T.
 * @example
 * ```ts
 * import { groupNorm, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const y = groupNorm(gpu.tensor([1, 3], [1, 2, 1]), gpu.tensor([1]), gpu.tensor([0])); // [[[-1], [1]]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function groupNorm(x: Tensor, w: Tensor, b: Tensor, options: GroupNormOptions = {}): Tensor {
  const doing = "apply a group norm";
  const { eps = 1e-5, lengths: given = null } = options;
  sameDevice(doing, x, w, b);
  ofRank(doing, "x", x, 3);
  ofType(doing, "x", x, "f32");
  const [items, frames, channels] = x.shape as [number, number, number];
  for (const [name, tensor] of Object.entries({ w, b })) {
    ofShape(doing, name, tensor, [channels]);
    ofType(doing, name, tensor, "f32");
  }
  const { gpu } = x;
  const lengths = given && uploadLengths(doing, gpu, given, items, frames);
  const y = gpu.empty(x.shape);
  const mean = reduceFrames(x, { lengths, finish: "mean" });
  const rstd = reduceFrames(x, { centre: mean, square: true, lengths, finish: "rstd", eps });
  runEach(gpu, kernels, x.size, {
    entry: "forward",
    columns: channels,
    each: { x, y },
    whole: { mean, rstd, w, b, lengths },
    params: { frames, count: 1 },
    constants: { LENGTHS: lengths !== null },
  });
  record("groupNorm", [x, w, b], [y], ([dy], [needsX, needsW, needsB]) => {
    const sums = reduceFrames(dy!, { lengths });
    const dots = reduceFrames(x, { centre: mean, times: dy!, lengths });
    const dw = needsW ? reduceRows(dots, channels, rstd) : null;
    const db = needsB ? reduceRows(sums, channels) : null;
    let dx: Tensor | null = null;
    if (needsX) {
      if (lengths) { for (const sum of [sums, dots]) finishFrames(sum, frames, { lengths, finish: "mean" }); }
      const all = gpu.empty(x.shape);
      runEach(gpu, kernels, x.size, {
        entry: "backward",
        columns: channels,
        each: { x, dy: dy!, dx: all },
        whole: { mean, rstd, sums, dots, w },
        params: { frames, count: lengths ? 1 : frames },
      });
      dx = given ? noGrad(gpu, () => maskFrames(all, given)) : all.view();
      all.dispose();
    }
    sums.dispose();
    dots.dispose();
    return [dx, dw, db];
  }, lengths ? [mean, rstd, lengths] : [mean, rstd]);
  return y;
}
