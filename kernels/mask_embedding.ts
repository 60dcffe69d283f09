import index from "../tensor/_index.wgsl" with { type: "text" };
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { ofRank, ofShape, ofType, sameDevice } from "./internal/checks.ts";
import source from "./mask_embedding.wgsl" with { type: "text" };
import { reduceRows } from "./internal/reduce_rows.ts";
import { runEach, runRows, wideKernel } from "../tensor/rows.ts";

const kernels = wideKernel("mask_embedding", source, [index]);

/** Frames per partial sum of the embedding's gradient. */
const BLOCK = 64;

/**
 * Replaces masked frames by one embedding, as masked pretraining and SpecAugment do in wav2vec 2.0
 * (Baevski et al. 2020, arXiv 2006.11477, section 3.1).
 *
 * @param x Frames, [B, T, C].
 * @param e Embedding, [C]; its gradient is the sum over the masked frames.
 * @param mask [B, T], i32 or f32: 1 where a frame is replaced, 0 elsewhere.
 * @returns [B, T, C]
 * @throws {TypeError} If shapes do not match, or if x or e is not f32.
 * @example
 * ```ts
 * import { maskEmbedding, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const x = gpu.tensor([1, 2, 3, 4], [1, 2, 2]);
 * const y = maskEmbedding(x, gpu.tensor([8, 9]), gpu.tensor([0, 1], [1, 2])); // [[[1, 2], [8, 9]]]
 * console.log(await y.read());
 * ```
 */
export function maskEmbedding(x: Tensor, e: Tensor, mask: Tensor): Tensor {
  const doing = "mask frames by an embedding";
  sameDevice(doing, x, e, mask);
  ofRank(doing, "x", x, 3);
  ofType(doing, "x", x, "f32");
  const [items, frames, channels] = x.shape as [number, number, number];
  ofShape(doing, "e", e, [channels]);
  ofType(doing, "e", e, "f32");
  ofShape(doing, "mask", mask, [items, frames]);
  const { gpu } = x;

  const y = gpu.empty(x.shape);
  runEach(gpu, kernels, x.size, { entry: "forward", columns: channels, each: { x, y }, whole: { e, mask } });
  record("maskEmbedding", [x, e], [y], ([dy], [needsX, needsE]) => {
    const dx = needsX ? gpu.empty(x.shape) : null;
    if (dx) {
      runEach(gpu, kernels, x.size, {
        entry: "backward",
        columns: channels,
        each: { dy: dy!, dx },
        whole: { mask },
      });
    }
    if (!needsE) return [dx, null];
    const { kernel, width } = kernels.pick(channels);
    const columns = channels / width;
    const sums = gpu.empty([Math.ceil(mask.size / BLOCK), channels]);
    runRows(gpu, kernel, mask.size, {
      entry: "embedding",
      rows: { dy: dy!, mask },
      whole: { de: sums },
      params: ({ row, rows }) => ({ n: rows, first: row / BLOCK, columns }),
      workgroups: ({ rows }) => Math.ceil(Math.ceil(rows / BLOCK) * columns / 64),
    });
    const de = reduceRows(sums, channels, null, gradientSlot(e));
    sums.dispose();
    return [dx, de];
  });
  return y;
}
