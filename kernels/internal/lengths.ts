import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * Checks and uploads the number of valid frames of each item.
 *
 * @param lengths [B]
 * @param items B
 * @param frames T, the largest length.
 * @returns [B], i32
 * @throws {TypeError} If there is not one length per item.
 * @throws {RangeError} If one is not a whole number from 0 to T.
 */
export function uploadLengths(
  doing: string,
  gpu: Gpu,
  lengths: readonly number[],
  items: number,
  frames: number,
): Tensor {
  if (lengths.length !== items) {
    throw new TypeError(
      `Cannot ${doing} as there must be one length per item: ${lengths.length} for ${items} items`,
    );
  }
  const wrong = lengths.findIndex((length) => !(Number.isInteger(length) && length >= 0 && length <= frames));
  if (wrong >= 0) {
    throw new RangeError(
      `Cannot ${doing} as lengths must be whole numbers from 0 to ${frames}: lengths[${wrong}] is ${
        lengths[wrong]
      }`,
    );
  }
  return gpu.tensor(Int32Array.from(lengths));
}
