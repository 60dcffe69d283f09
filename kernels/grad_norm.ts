import { Kernel } from "../tensor/kernel.ts";
import { Tensor } from "../tensor/tensor.ts";
import { ofType, sameDevice } from "./checks.ts";
import source from "./grad_norm.wgsl" with { type: "text" };
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
  const squares = gpu.empty([tensors.length]);
  tensors.forEach((x, i) => {
    // Rows of 64, where the elements make whole ones, let neighbours read neighbours.
    const columns = x.size % 64 === 0 ? 64 : 1;
    const sums = reduceRows(x, columns, x);
    const sum = reduceRows(sums, 1);
    gpu.copy(sum, new Tensor(gpu, squares.storage, [1], "f32", i));
    sums.dispose();
    sum.dispose();
  });
}
