import { type DType, showShape, type Tensor } from "../tensor/tensor.ts";

/**
 * Looks at all tensors of an operation before it takes memory.
 *
 * @throws {TypeError} If they are not all of one device.
 * @throws {ReferenceError} If one is disposed.
 */
export function sameDevice(doing: string, first: Tensor, ...others: (Tensor | null)[]): void {
  for (const tensor of [first, ...others]) {
    if (!tensor) continue;
    void tensor.storage; // throws where there is none
    if (tensor.gpu !== first.gpu) {
      throw new TypeError(`Cannot ${doing} as all tensors must be of one device: found two`);
    }
  }
}

/** @throws {TypeError} If a tensor's element type is not the one an operation reads. */
export function ofType(doing: string, name: string, tensor: Tensor, dtype: DType): void {
  if (tensor.dtype !== dtype) {
    throw new TypeError(`Cannot ${doing} as ${name} must be ${dtype}: found ${tensor.dtype}`);
  }
}

/** @throws {TypeError} If a tensor's shape is not the expected one. */
export function ofShape(
  doing: string,
  name: string,
  tensor: Tensor,
  shape: readonly number[],
): void {
  if (tensor.shape.length !== shape.length || tensor.shape.some((n, i) => n !== shape[i])) {
    throw new TypeError(
      `Cannot ${doing} as ${name} must be ${showShape(shape)}: found ${showShape(tensor.shape)}`,
    );
  }
}

/** @throws {TypeError} If a tensor has not the expected number of dimensions. */
export function ofRank(doing: string, name: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length !== rank) {
    throw new TypeError(
      `Cannot ${doing} as ${name} must have ${rank} dimensions: found ${showShape(tensor.shape)}`,
    );
  }
}
