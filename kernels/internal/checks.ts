import type { DType } from "../../tensor/dtype.ts";
import { showShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * Checks the tensors of an operation before it allocates memory.
 *
 * @throws {TypeError} If they are not all on one device.
 * @throws {ReferenceError} If one is disposed.
 */
export function sameDevice(doing: string, first: Tensor, ...others: (Tensor | null)[]): void {
  for (const tensor of [first, ...others]) {
    if (!tensor) continue;
    void tensor.storage; // throws if it is disposed
    if (tensor.gpu !== first.gpu) {
      throw new TypeError(`Cannot ${doing} as all tensors must be on one device: found two`);
    }
  }
}

/**
 * Checks the element type of a tensor.
 *
 * @throws {TypeError} If it is not `dtype`.
 * @throws {ReferenceError} If the tensor is disposed.
 */
export function ofType(doing: string, name: string, tensor: Tensor, dtype: DType): void {
  void tensor.storage; // throws if it is disposed
  if (tensor.dtype !== dtype) {
    throw new TypeError(`Cannot ${doing} as ${name} must be ${dtype}: found ${tensor.dtype}`);
  }
}

/** @throws {TypeError} If one of the tensors is not f32. */
export function ofFloats(doing: string, tensors: Record<string, Tensor | null>): void {
  for (const [name, tensor] of Object.entries(tensors)) if (tensor) ofType(doing, name, tensor, "f32");
}

/** @throws {TypeError} If one of the operands of a GEMM is neither f32 nor f16. */
export function ofOperands(doing: string, tensors: Record<string, Tensor>): void {
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.dtype !== "f16") ofType(doing, name, tensor, "f32");
  }
}

/** @throws {TypeError} If a tensor's shape is not `shape`. */
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

/** @throws {TypeError} If a tensor does not have `rank` dimensions. */
export function ofRank(doing: string, name: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length !== rank) {
    throw new TypeError(
      `Cannot ${doing} as ${name} must have ${rank} dimensions: found ${showShape(tensor.shape)}`,
    );
  }
}
