import index from "../tensor/_index.wgsl" with { type: "text" };
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofRank, ofType } from "./internal/checks.ts";
import { uploadLengths } from "./internal/lengths.ts";
import source from "./mask_frames.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("mask_frames", source, [index]);

/**
 * Sets the padding of every item to 0.
 *
 * @param x Frames, [B, T, C].
 * @param lengths Valid frames of each item, [B]: frames from `lengths[b]` on become 0.
 * @returns [B, T, C]
 * @throws {TypeError} If there is not one length per item, or if x is not f32.
 * @throws {RangeError} If a length is not a whole number from 0 to T.
 * @example
 * ```ts
 * import { maskFrames, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = maskFrames(gpu.tensor([1, 2, 3, 4], [2, 2, 1]), [1, 2]); // [[[1], [0]], [[3], [4]]]
 * console.log(await y.read());
 * ```
 */
export function maskFrames(x: Tensor, lengths: readonly number[]): Tensor {
  const doing = "mask frames";
  ofRank(doing, "x", x, 3);
  ofType(doing, "x", x, "f32");
  const { gpu } = x;
  const [items, frames, channels] = x.shape as [number, number, number];
  const onDevice = uploadLengths(doing, gpu, lengths, items, frames);
  const mask = (x: Tensor) => {
    const y = gpu.empty(x.shape);
    runEach(gpu, kernels, x.size, {
      entry: "forward",
      columns: channels,
      each: { x, y },
      whole: { lengths: onDevice },
      params: { frames },
    });
    return y;
  };

  const y = mask(x);
  record("maskFrames", [x], [y], ([dy]) => [mask(dy!)], [onDevice]);
  return y;
}
