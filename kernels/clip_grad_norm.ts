import { Kernel } from "../tensor/kernel.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ofType, sameDevice } from "./internal/checks.ts";
import source from "./clip_grad_norm.wgsl" with { type: "text" };
import { reduceFrames } from "./internal/reduce_frames.ts";
import { reduceRows } from "./internal/reduce_rows.ts";
import { sharesSums, sumElements } from "./internal/sum_elements.ts";

const kernel = new Kernel("clip_grad_norm", source);

/** Largest finite number in float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/** Elements that neighbouring invocations load together, where the size is a multiple of it. */
const ROW = { software: 32, hardware: 64 };

/** Result of {@linkcode clipGradNorm}; both tensors stay on the device. */
export interface ClippedNorm {
  /** 2-norm over all elements before clipping, []. */
  readonly norm: Tensor;
  /** Factor of the gradients, []. */
  readonly factor: Tensor;
}

/**
 * Gradient clipping by the norm, as torch.nn.utils.clip_grad_norm_: the 2-norm over all gradients together, √Σx², and the
 * factor min(1, maxNorm / (norm + 1e-6)) that clips it. The gradients are not changed; whoever reads them applies the factor.
 * Not recorded on the tape.
 *
 * @param gradients At least one tensor, of any shapes.
 * @param maxNorm Largest norm, above 0; no limit unless given.
 * @returns Norm and factor. If an element is not finite, or the sum of squares overflows f32, the norm is not finite and the
 * factor is 0.
 * @throws {TypeError} If a gradient is not f32, or is on another device.
 * @throws {RangeError} If there is no gradient, or if maxNorm is not above 0.
 * @example
 * ```ts
 * import { clipGradNorm, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const { norm, factor } = clipGradNorm([gpu.tensor([3]), gpu.tensor([0, 4])], 1); // 5 and 0.2
 * console.log(await norm.read(), await factor.read());
 * ```
 */
export function clipGradNorm(gradients: readonly Tensor[], maxNorm = Infinity): ClippedNorm {
  if (!(maxNorm > 0)) {
    throw new RangeError(`Cannot clip gradients as maxNorm must be above 0: found ${maxNorm}`);
  }
  using squares = sumSquares(gradients);
  return clipNorm(squares, maxNorm);
}

/**
 * Sum of the squares of all elements of the gradients, []. Not recorded on the tape.
 *
 * @param gradients At least one tensor, of any shapes.
 * @throws {TypeError} If one is not f32, or is on another device.
 * @throws {RangeError} If there is none.
 */
export function sumSquares(gradients: readonly Tensor[]): Tensor {
  const [first] = gradients;
  if (!first) throw new RangeError("Cannot clip gradients as there must be one: found none");
  sameDevice("clip gradients", first, ...gradients);
  gradients.forEach((x, i) => ofType("clip gradients", `gradients[${i}]`, x, "f32"));
  const { gpu } = first;
  const row = gpu.software ? ROW.software : ROW.hardware;
  using squares = gpu.empty([gradients.length]);
  gradients.forEach((x, i) => {
    if (sharesSums(gpu)) {
      sumElements(x, { square: true, y: squares, at: i });
      return;
    }
    const columns = x.size % row === 0 ? row : 1;
    using frames = x.view([1, x.size / columns, columns]);
    using sums = reduceFrames(frames, { square: true });
    using place = new Tensor(gpu, squares.storage, [1], "f32", i);
    using sum = reduceRows(sums, 1);
    gpu.copy(sum, place);
  });
  using total = reduceRows(squares, 1);
  return total.view([]);
}

/**
 * Norm and factor, as {@linkcode clipGradNorm}, from the sum of squares.
 *
 * @param squares Result of {@linkcode sumSquares}, [].
 * @param maxNorm Largest norm, above 0.
 */
export function clipNorm(squares: Tensor, maxNorm: number): ClippedNorm {
  const { gpu } = squares;
  const norm = gpu.empty([]);
  const factor = gpu.empty([]);
  const limit = Math.min(maxNorm, LARGEST);
  gpu.run(kernel, { bind: { x: squares, norm, factor }, params: { limit }, workgroups: 1 });
  return { norm, factor };
}
