import index from "../tensor/_index.wgsl" with { type: "text" };
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofRank, ofType } from "./internal/checks.ts";
import { uploadLengths } from "./internal/lengths.ts";
import source from "./mean_frames.wgsl" with { type: "text" };
import { reduceFrames } from "./internal/reduce_frames.ts";
import { runEach, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("mean_frames", source, [index]);

/**
 * Mean over the valid frames of each item: the pooling of a sequence classifier.
 *
 * @param x Frames, [B, T, C].
 * @param lengths Valid frames of each item, [B]; all T unless given. The mean of no frames is 0.
 * @returns [B, C]
 * @throws {TypeError} If there is not one length per item, or if x is not f32.
 * @throws {RangeError} If a length is not a whole number from 0 to T.
 * @example
 * ```ts
 * import { meanFrames, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = meanFrames(gpu.tensor([1, 3, 5], [1, 3, 1]), [2]); // [[2]]
 * console.log(await y.read());
 * ```
 */
export function meanFrames(x: Tensor, lengths: readonly number[] | null = null): Tensor {
  const doing = "average frames";
  ofRank(doing, "x", x, 3);
  ofType(doing, "x", x, "f32");
  const { gpu } = x;
  const [items, frames, channels] = x.shape as [number, number, number];
  const onDevice = lengths && uploadLengths(doing, gpu, lengths, items, frames);

  const y = reduceFrames(x, { lengths: onDevice, mean: true });
  record("meanFrames", [x], [y], ([dy]) => {
    const dx = gpu.empty(x.shape);
    runEach(gpu, kernels, x.size, {
      entry: "backward",
      columns: channels,
      each: { dx },
      whole: { dy: dy!, lengths: onDevice },
      params: { frames },
      constants: { LENGTHS: onDevice !== null },
    });
    return [dx];
  }, onDevice ? [onDevice] : []);
  return y;
}
