import { type DType, elementBytes, type TensorData } from "./dtype.ts";
// The one circle of types: a tensor has its device, and the device makes tensors.
import type { Gpu } from "./gpu.ts";
import { showShape, sizeOf } from "./shape.ts";
import type { Storage } from "./storage.ts";

/**
 * A dense array on the device, row-major, of a fixed shape.
 *
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * {
 *   using x = gpu.tensor([1, 2, 3, 4], [2, 2]);
 *   using row = x.view([4]); // the same numbers
 *   console.log(await row.read(), gpu.pool.live); // [1, 2, 3, 4] 1
 * }
 * console.log(gpu.pool.live); // 0
 * ```
 */
export class Tensor {
  /** Device that holds it. */
  readonly gpu: Gpu;
  /** Extents, outermost first. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** Bytes of its elements. */
  readonly bytes: number;
  /** Whether {@linkcode backward} computes a gradient for it, as for a parameter. */
  requiresGrad = false;
  /** Whether its value depends on a tensor that requires a gradient; set by the tape. */
  tracked = false;
  /** Whether {@linkcode backward} has used up what the tape held of it; set by the tape. */
  spent = false;
  #storage: Storage | null;
  #offset: number;

  /** Made by {@linkcode Gpu.tensor} and the operations. @param offset First element in the storage. */
  constructor(gpu: Gpu, storage: Storage, shape: readonly number[], dtype: DType, offset = 0) {
    this.gpu = gpu;
    this.shape = [...shape];
    this.dtype = dtype;
    this.size = sizeOf(shape);
    this.bytes = this.size * elementBytes(dtype);
    this.#storage = storage;
    this.#offset = offset;
    storage.refs++;
    gpu.adopt(this);
  }

  /** Shared storage. @throws {ReferenceError} If the tensor is disposed. */
  get storage(): Storage {
    if (!this.#storage) {
      throw new ReferenceError(
        `Cannot use a tensor as it was disposed: its shape was ${showShape(this.shape)}`,
      );
    }
    return this.#storage;
  }

  /** First element in the storage, in elements. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether its storage was given back. */
  get disposed(): boolean {
    return this.#storage === null;
  }

  /** Whether the tape follows it. */
  get needsGrad(): boolean {
    return this.requiresGrad || this.tracked;
  }

  /** Another handle on the same numbers, with the same or another shape of equal size. */
  view(shape: readonly number[] = this.shape): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new TypeError(
        `Cannot reshape as sizes must be equal: ${showShape(this.shape)} to ${showShape(shape)}`,
      );
    }
    return new Tensor(this.gpu, this.storage, shape, this.dtype, this.#offset);
  }

  /** Moves the handle to other storage that holds the same numbers, as an optimizer does with parameters. */
  rebase(storage: Storage, offset: number): void {
    storage.refs++;
    this.dispose();
    this.#storage = storage;
    this.#offset = offset;
  }

  /** Reads the numbers back; waits for the device. @throws {Error} What the device reported meanwhile. */
  read(): Promise<TensorData> {
    return this.gpu.read(this);
  }

  /** Gives its storage back once no other tensor shares it. Calling it again does nothing. */
  dispose(): void {
    const storage = this.#storage;
    if (!storage) return;
    this.#storage = null;
    if (--storage.refs === 0) this.gpu.pool.give(storage.entry);
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
