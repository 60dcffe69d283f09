import { Kernel } from "../tensor/kernel.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ofShape, ofType, sameDevice } from "./checks.ts";
import source from "./grad_norm.wgsl" with { type: "text" };
import { reduceFrames } from "./reduce_frames.ts";
import { reduceRows } from "./reduce_rows.ts";

const kernel = new Kernel("grad_norm", source);

/** Largest finite number in float32. */
const LARGEST = (2 - 2 ** -23) * 2 ** 127;

/**
 * The 2-norm over all elements of some tensors together, √Σx². Not recorded on the tape.
 *
 * @param tensors At least one, of any shapes.
 * @returns []; not finite if an element is not, or if the sum of squares exceeds float32.
 * @throws {TypeError} If a tensor is not f32, or of another device.
 * @throws {RangeError} If there is no tensor.
 * @example
 * ```ts
 * const norm = gradNorm([gpu.tensor([3]), gpu.tensor([0, 4])]); // 5
 * ```
 */
export function gradNorm(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (!first) throw new RangeError("Cannot take a norm as there must be a tensor: found none");
  sameDevice("take a norm", first, ...tensors);
  tensors.forEach((tensor, i) => ofType("take a norm", `tensors[${i}]`, tensor, "f32"));
  const { gpu } = first;
  using squares = gpu.empty([tensors.length]);
  tensors.forEach((x, i) => {
    // Rows of 64, where the elements make whole ones, let neighbours read neighbours.
    const columns = x.size % 64 === 0 ? 64 : 1;
    using frames = x.view([1, x.size / columns, columns]);
    using sums = reduceFrames(frames, { square: true });
    using sum = reduceRows(sums, 1);
    using place = new Tensor(gpu, squares.storage, [1], "f32", i);
    gpu.copy(sum, place);
  });
  using total = reduceRows(squares, 1);
  const norm = gpu.empty([]);
  gpu.run(kernel, { entry: "root", bind: { x: total, y: norm }, workgroups: 1 });
  return norm;
}

/**
 * What gradients are multiplied with so that their norm is at most `maxNorm`, min(1, maxNorm / (norm + 1e-6)), as
 * torch.nn.utils.clip_grad_norm_; 0 if the norm is not finite. It stays on the device.
 *
 * @param norm Norm of the gradients, [].
 * @param maxNorm Largest norm, above 0; without one the result is 1, or 0 if the norm is not finite.
 * @returns []
 * @throws {TypeError} If the norm is not an f32 scalar.
 * @throws {RangeError} If maxNorm is not above 0.
 * @example
 * ```ts
 * const factor = clipCoefficient(gradNorm([gpu.tensor([3, 4])]), 1); // 0.2
 * ```
 */
export function clipCoefficient(norm: Tensor, maxNorm = Infinity): Tensor {
  ofType("clip gradients", "norm", norm, "f32");
  ofShape("clip gradients", "norm", norm, []);
  if (!(maxNorm > 0)) {
    throw new RangeError(`Cannot clip gradients as maxNorm must be above 0: found ${maxNorm}`);
  }
  const y = norm.gpu.empty([]);
  const limit = Math.min(maxNorm, LARGEST);
  norm.gpu.run(kernel, { entry: "coefficient", bind: { x: norm, y }, params: { limit }, workgroups: 1 });
  return y;
}
