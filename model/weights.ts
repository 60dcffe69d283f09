import { Arena } from "../tensor/arena.ts";
import type { Weight } from "./checkpoint/types.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { recording } from "../tensor/tape.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { isGemmWeight, isStatistic } from "./parameter_specs.ts";

/** Pads with zeros or crops the first two axes from shape `from` to shape `to`. */
function padOrCrop<Buffer extends ArrayBufferLike>(
  data: Float32Array<Buffer>,
  from: readonly number[],
  to: readonly number[],
): Float32Array<Buffer | ArrayBuffer> {
  if (from.join() === to.join()) return data;
  const [row, other] = [from, to].map((shape) => sizeOf(shape.slice(1))) as [number, number];
  const length = Math.min(row, other);
  const all = new Float32Array(sizeOf(to));
  for (let i = 0; i < Math.min(from[0]!, to[0]!); i++) {
    all.set(data.subarray(i * row, i * row + length), i * other);
  }
  return all;
}

/** Whether a tensor is a convolution weight, published as [O, C, K] and stored as [O, K, C] on the device. */
function isConvWeight(name: string, shape: readonly number[]): boolean {
  return shape.length === 3 && !name.endsWith("weight_g") && !name.endsWith("original0");
}

/** Swaps the last two dimensions of a convolution weight, [O, a, b] to [O, b, a]. */
export function swapTaps(data: Float32Array, [o, a, b]: readonly number[]): Float32Array<ArrayBuffer> {
  const swapped = new Float32Array(data.length);
  let at = 0;
  for (let i = 0; i < o!; i++) {
    for (let j = 0; j < a!; j++) {
      for (let k = 0; k < b!; k++) swapped[(i * b! + k) * a! + j] = data[at++]!;
    }
  }
  return swapped;
}

/** Rounds to f16. @throws {RangeError} If a value overflows. */
function toHalf(name: string, data: Float32Array): Float16Array {
  const rounded = Float16Array.from(data);
  const at = rounded.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return rounded;
  throw new RangeError(`Cannot store ${name} as f16 as its values must be below 65,520: found ${data[at]}`);
}

/** Tensors computed from weights, all at once when one of them is first read. */
interface Derived {
  readonly names: readonly string[];
  readonly make: () => readonly Tensor[];
  /** The last result; a scope or the tape may have disposed it. */
  made: readonly Tensor[];
}

/** A cached tensor computed from weights. */
interface Cached {
  readonly made: Tensor;
  /** Storage and version of those weights when it was computed. */
  readonly of: readonly { readonly storage: Storage; readonly version: number }[];
}

/**
 * The weights of a model on the device by published name, without the prefix of the family. Here,
 * convolution weights are [O, K, C] and widths may be padded; {@linkcode Weights.read} returns the published layout.
 *
 * @example
 * ```ts
 * import { Weights, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const weights = new Weights(gpu);
 * weights.add("lm_head.bias", [2], Float32Array.of(1, 2));
 * console.log(weights.names, weights.get("lm_head.bias").shape); // ["lm_head.bias"] [2]
 * ```
 */
export class Weights {
  readonly #tensors = new Map<string, Tensor>();
  readonly #published = new Map<string, readonly number[]>();
  readonly #derived = new Map<string, Derived>();
  readonly #cached = new Map<string, Cached>();

  /** Device that holds them. */
  readonly gpu: Gpu;
  /** Whether weights that only GEMMs read are uploaded as f16. Such a model cannot be trained. */
  readonly half: boolean;

  /** Creates an empty collection. @param gpu Device. @param half Whether to store weights that only GEMMs read as f16. */
  constructor(gpu: Gpu, half = false) {
    this.gpu = gpu;
    this.half = half;
  }

  /** Names in the order they were added. */
  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  /**
   * Uploads a weight in the published layout.
   *
   * @param name Name.
   * @param shape Published shape.
   * @param data Values, row-major.
   * @param padded Shape on the device, padded with zeros; default: `shape`.
   * @throws {RangeError} If it is stored as f16 and a value overflows.
   */
  add(name: string, shape: readonly number[], data: Float32Array, padded: readonly number[] = shape): void {
    const all = padOrCrop(data, shape, padded);
    const swaps = isConvWeight(name, padded);
    const values = swaps ? swapTaps(all, padded) : all;
    const typed = this.half && isGemmWeight(name) ? toHalf(name, values) : values;
    this.#tensors.set(name, this.gpu.tensor(typed, swaps ? [padded[0]!, padded[2]!, padded[1]!] : padded));
    this.#published.set(name, shape);
  }

  /** Adds a tensor that is on the device, convolution weights as [O, K, C]. Takes ownership. */
  set(name: string, tensor: Tensor): void {
    this.#tensors.set(name, tensor);
  }

  /**
   * Replaces weights by tensors computed from weights, such as selected rows. All of them are computed when one is first read, and
   * again once they are disposed, as at the end of a scope.
   *
   * @param names Names of the replaced weights.
   * @param make Computes them, in that order.
   */
  derive(names: readonly string[], make: () => readonly Tensor[]): void {
    const derived: Derived = { names, make, made: [] };
    for (const name of names) this.#derived.set(name, derived);
  }

  /** All tensors that may require a gradient: weights, and derived weights that exist. */
  get differentiable(): readonly Tensor[] {
    const derived = [...new Set(this.#derived.values())];
    return [
      ...this.#tensors.values(),
      ...derived.flatMap(({ made }) => made.filter((each) => !each.disposed)),
    ];
  }

  /** Moves weights of one shape next to each other in memory, so that one GEMM can read them all. */
  stack(names: readonly string[]): void {
    const tensors = names.map((name) => this.get(name));
    const arena = new Arena(this.gpu, tensors.map(({ shape }) => shape), tensors[0]!.dtype);
    arena.adopt(tensors);
    arena.dispose();
  }

  /** Whether there is a weight with this name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Returns a weight. @throws {ReferenceError} If there is no weight with this name. */
  get(name: string): Tensor {
    const tensor = this.find(name);
    if (!tensor) throw new ReferenceError(`The model has no weight named ${name}`);
    return tensor;
  }

  /** Returns a weight, or null. */
  find(name: string): Tensor | null {
    const derived = this.#derived.get(name);
    if (!derived) return this.#tensors.get(name) ?? null;
    if (derived.made.length === 0 || derived.made[0]!.disposed) derived.made = derived.make();
    return derived.made[derived.names.indexOf(name)]!;
  }

  /**
   * Returns what `make` computes from weights. The result is cached until one of them changes; while gradients are recorded it is
   * computed anew.
   *
   * @param name Cache key.
   * @param of The weights that it depends on.
   * @param make Computes it.
   * @returns The result; a cached one is disposed with the weights, or when they change.
   */
  cached(name: string, of: readonly Tensor[], make: () => Tensor): Tensor {
    const known = this.#cached.get(name);
    const recorded = recording(of);
    const isCurrent = known?.of.every(({ storage, version }, i) => {
      return storage === of[i]!.storage && storage.version === version;
    });
    if (known && isCurrent && !recorded) return known.made;
    known?.made.dispose();
    this.#cached.delete(name);
    const made = make();
    if (recorded) return made;
    const versions = of.map(({ storage }) => ({ storage, version: storage.version }));
    this.#cached.set(name, { made: this.gpu.keep(made), of: versions });
    return made;
  }

  /** Weight and bias of a linear layer or convolution; the bias may be null. */
  layer(name: string): { w: Tensor; b: Tensor | null } {
    return { w: this.get(`${name}.weight`), b: this.find(`${name}.bias`) };
  }

  /** Weight and bias of a norm. */
  norm(name: string): { w: Tensor; b: Tensor } {
    return { w: this.get(`${name}.weight`), b: this.get(`${name}.bias`) };
  }

  /**
   * Sets `requiresGrad` for all weights, or for those whose name passes a test. Statistics of a batch norm are constants.
   *
   * @returns Weights that require a gradient.
   * @throws {TypeError} If weights are f16.
   */
  require(passes: (name: string) => boolean = () => true): Tensor[] {
    if (this.half) throw new TypeError("Cannot train the model as its weights must be f32: they are f16");
    const required: Tensor[] = [];
    for (const [name, tensor] of this.#tensors) {
      tensor.requiresGrad = !isStatistic(name) && passes(name);
      if (tensor.requiresGrad) required.push(tensor);
    }
    return required;
  }

  /** Reads a weight, or a tensor of its shape such as its gradient, back in the published layout. */
  async read(
    name: string,
    tensor: Tensor = this.get(name),
  ): Promise<Weight> {
    const data = await tensor.read() as Float32Array<ArrayBuffer>;
    const { shape } = tensor;
    const swaps = isConvWeight(name, shape);
    const padded = swaps ? [shape[0]!, shape[2]!, shape[1]!] : shape;
    const published = this.#published.get(name) ?? padded;
    return {
      shape: [...published],
      data: padOrCrop(swaps ? swapTaps(data, shape) : data, padded, published),
    };
  }

  /** Frees the memory of all weights. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    for (const { made } of this.#cached.values()) made.dispose();
    this.#tensors.clear();
    this.#cached.clear();
  }

  /** Number of elements on the device, padding included. */
  get size(): number {
    return [...this.#tensors.values()].reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
  }
}
