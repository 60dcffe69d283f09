import { type DType, elementBytes, type TensorData } from "./dtype.ts";
// The one circle of types: a tensor has its device, and the device makes tensors.
import type { Gpu } from "./gpu.ts";
import { showShape, sizeOf } from "./shape.ts";
import type { Storage } from "./storage.ts";

/**
 * A dense row-major array of a fixed shape on a device.
 *
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * {
 *   using x = gpu.tensor([1, 2, 3, 4], [2, 2]);
 *   using row = x.view([4]); // the same elements
 *   console.log(await row.read(), gpu.pool.live); // [1, 2, 3, 4] 1
 * }
 * console.log(gpu.pool.live); // 0
 * ```
 */
export class Tensor {
  /** Its device. */
  readonly gpu: Gpu;
  /** Extents, outermost first. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType;
  /** Number of elements. */
  readonly size: number;
  /** Bytes of its elements. */
  readonly bytes: number;
  /** Whether {@linkcode backward} returns its gradient, as of a parameter; set it before the tensor is used. */
  requiresGrad = false;
  /** Whether it is the result of a recorded operation; set by the tape. */
  tracked = false;
  /** Whether {@linkcode backward} has run over the operation that made it; set by the tape. */
  spent = false;
  #storage: Storage | null;
  #offset: number;

  /** {@linkcode Gpu.tensor} and operations make tensors. @param offset First element in the storage. */
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

  /**
   * Its storage, which views share.
   *
   * @throws {ReferenceError} If the tensor is disposed.
   * @internal
   */
  get storage(): Storage {
    if (!this.#storage) {
      throw new ReferenceError(
        `Cannot use a tensor as it was disposed: its shape was ${showShape(this.shape)}`,
      );
    }
    return this.#storage;
  }

  /** Index of its first element in the storage. */
  get offset(): number {
    return this.#offset;
  }

  /** Whether it was disposed. */
  get disposed(): boolean {
    return this.#storage === null;
  }

  /** Whether operations on it are recorded. */
  get needsGrad(): boolean {
    return this.requiresGrad || this.tracked;
  }

  /** A tensor that shares its elements, with the same or another shape. @throws {TypeError} If the sizes differ. */
  view(shape: readonly number[] = this.shape): Tensor {
    if (sizeOf(shape) !== this.size) {
      throw new TypeError(
        `Cannot reshape as sizes must be equal: ${showShape(this.shape)} to ${showShape(shape)}`,
      );
    }
    return new Tensor(this.gpu, this.storage, shape, this.dtype, this.#offset);
  }

  /**
   * Moves the tensor to other storage, as an optimizer does with parameters; the caller has copied the elements.
   *
   * @internal
   */
  rebase(storage: Storage, offset: number): void {
    storage.refs++;
    this.dispose();
    this.#storage = storage;
    this.#offset = offset;
  }

  /** Reads the elements back; see {@linkcode Gpu.read}. */
  read(): Promise<TensorData> {
    return this.gpu.read(this);
  }

  /** Frees its storage if no other tensor shares it. Calling it again does nothing. */
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
