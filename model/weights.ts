import { Arena } from "../tensor/arena.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { recording } from "../tensor/tape.ts";
import { sizeOf, type Storage, type Tensor } from "../tensor/tensor.ts";
import { isGemmWeight } from "./parameter_specs.ts";

/** Data of one shape in another, which differs in its first two extents: what the other lacks is left out, what it adds is 0. */
function resized(data: Float32Array, from: readonly number[], to: readonly number[]): Float32Array {
  if (from.join() === to.join()) return data;
  const [row, other] = [from, to].map((shape) => sizeOf(shape.slice(1))) as [number, number];
  const length = Math.min(row, other);
  const all = new Float32Array(sizeOf(to));
  for (let i = 0; i < Math.min(from[0]!, to[0]!); i++) {
    all.set(data.subarray(i * row, i * row + length), i * other);
  }
  return all;
}

/** Whether a tensor is stored taps last, [O, C, K], and wanted taps before channels, [O, K, C]. */
function isConvolution(name: string, shape: readonly number[]): boolean {
  return shape.length === 3 && !name.endsWith("weight_g") && !name.endsWith("original0");
}

/** Swaps the last two dimensions of a convolution's weight, [O, a, b] to [O, b, a]. */
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

/** The nearest numbers of f16. @throws {RangeError} If there is none. */
function halves(name: string, data: Float32Array): Float16Array {
  const rounded = Float16Array.from(data);
  const at = rounded.findIndex((number) => !Number.isFinite(number));
  if (at < 0) return rounded;
  throw new RangeError(`Cannot hold ${name} as f16 as its numbers must be below 65,520: found ${data[at]}`);
}

/** Weights that are made together when one of them is read. */
interface Derived {
  readonly names: readonly string[];
  readonly make: () => readonly Tensor[];
  /** What was made last; a scope or the tape may have disposed of it. */
  made: readonly Tensor[];
}

/** What was computed of weights alone. */
interface Prepared {
  readonly made: Tensor;
  /** The weights' storages, as they were then. */
  readonly of: readonly { readonly storage: Storage; readonly version: number }[];
}

/**
 * A model's weights on the device by their published names, without the prefix `wav2vec2.`, `hubert.` or
 * `wavlm.`. Convolution weights are [O, K, C] here, and odd widths may be filled up; {@linkcode Weights.read} gives them
 * back as published.
 *
 * @example
 * ```ts
 * import { Weights, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const weights = new Weights(gpu);
 * weights.add("lm_head.bias", [2], Float32Array.of(1, 2));
 * console.log(weights.names, weights.get("lm_head.bias").shape); // ["lm_head.bias"] [2]
 * gpu.destroy();
 * ```
 */
export class Weights {
  readonly #tensors = new Map<string, Tensor>();
  readonly #published = new Map<string, readonly number[]>();
  readonly #derived = new Map<string, Derived>();
  readonly #prepared = new Map<string, Prepared>();

  /** Device that holds them. */
  readonly gpu: Gpu;
  /** Whether weights that are uploaded are f16 where products alone read them. They cannot be trained. */
  readonly half: boolean;

  /** Holds no weights yet. @param gpu Device that will hold them. @param half Whether as f16 where products read them. */
  constructor(gpu: Gpu, half = false) {
    this.gpu = gpu;
    this.half = half;
  }

  /** The names. */
  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  /**
   * Uploads a weight as published.
   *
   * @param name Its name.
   * @param shape Its shape.
   * @param data Its numbers.
   * @param wide Its shape with what is to be filled up with zeros on the device; `shape` unless given.
   * @throws {RangeError} If it is to be f16 and has a number that is none.
   */
  add(name: string, shape: readonly number[], data: Float32Array, wide: readonly number[] = shape): void {
    const all = resized(data, shape, wide);
    const swaps = isConvolution(name, wide);
    const numbers = swaps ? swapTaps(all, wide) : all;
    const typed = this.half && isGemmWeight(name) ? halves(name, numbers) : numbers;
    this.#tensors.set(name, this.gpu.tensor(typed, swaps ? [wide[0]!, wide[2]!, wide[1]!] : wide));
    this.#published.set(name, shape);
  }

  /** Holds a tensor as it is on the device, convolutions as [O, K, C]; it is disposed with the others. */
  set(name: string, tensor: Tensor): void {
    this.#tensors.set(name, tensor);
  }

  /**
   * Has some weights be made of those held here, with the same names: all of them when one is first read, and again once
   * they are disposed of, as at the end of a scope.
   *
   * @param names Their names.
   * @param make Makes them, in that order.
   */
  derive(names: readonly string[], make: () => readonly Tensor[]): void {
    const derived: Derived = { names, make, made: [] };
    for (const name of names) this.#derived.set(name, derived);
  }

  /** All that a gradient may be wanted of: the weights held here, and derived ones as long as they are there. */
  get followed(): readonly Tensor[] {
    const derived = [...new Set(this.#derived.values())];
    return [
      ...this.#tensors.values(),
      ...derived.flatMap(({ made }) => made.filter((each) => !each.disposed)),
    ];
  }

  /** Moves weights of one shape side by side, so that one product can read them all. */
  stack(names: readonly string[]): void {
    const tensors = names.map((name) => this.get(name));
    const arena = new Arena(this.gpu, tensors.map(({ shape }) => shape), tensors[0]!.dtype);
    arena.adopt(tensors);
    arena.dispose();
  }

  /** Whether there is a weight of this name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A weight. @throws {ReferenceError} If there is none of this name. */
  get(name: string): Tensor {
    const tensor = this.find(name);
    if (!tensor) throw new ReferenceError(`Cannot run the model as it has no weight of that name: ${name}`);
    return tensor;
  }

  /** A weight, or null. */
  find(name: string): Tensor | null {
    const derived = this.#derived.get(name);
    if (!derived) return this.#tensors.get(name) ?? null;
    if (derived.made.length === 0 || derived.made[0]!.disposed) derived.made = derived.make();
    return derived.made[derived.names.indexOf(name)]!;
  }

  /**
   * What `make` computes of weights alone: kept until they change, so that inference computes it once, or computed anew
   * where gradients are recorded.
   *
   * @param name A name for it.
   * @param of The weights.
   * @param make Computes it.
   * @returns What was made; where nothing is recorded it is disposed with the weights, or when they have changed.
   */
  prepare(name: string, of: readonly Tensor[], make: () => Tensor): Tensor {
    const known = this.#prepared.get(name);
    const recorded = recording(of);
    const holds = known?.of.every(({ storage, version }, i) => {
      return storage === of[i]!.storage && storage.version === version;
    });
    if (known && holds && !recorded) return known.made;
    known?.made.dispose();
    this.#prepared.delete(name);
    const made = make();
    if (recorded) return made;
    const versions = of.map(({ storage }) => ({ storage, version: storage.version }));
    this.#prepared.set(name, { made: this.gpu.keep(made), of: versions });
    return made;
  }

  /** Weight and bias of a layer; the bias may be absent. */
  layer(name: string): { w: Tensor; b: Tensor | null } {
    return { w: this.get(`${name}.weight`), b: this.find(`${name}.bias`) };
  }

  /** Weight and bias of a norm. */
  norm(name: string): { w: Tensor; b: Tensor } {
    return { w: this.get(`${name}.weight`), b: this.get(`${name}.bias`) };
  }

  /**
   * Asks for gradients of the weights whose name passes, of all unless a test is given.
   *
   * @throws {TypeError} If there are weights of f16.
   */
  require(passes: (name: string) => boolean = () => true): Tensor[] {
    if (this.half) throw new TypeError("Cannot train the model as its weights must be f32: they are f16");
    const wanted: Tensor[] = [];
    for (const [name, tensor] of this.#tensors) {
      tensor.requiresGrad = passes(name);
      if (tensor.requiresGrad) wanted.push(tensor);
    }
    return wanted;
  }

  /** Reads a weight, or something of its shape such as its gradient, back as published. */
  async read(
    name: string,
    tensor: Tensor = this.get(name),
  ): Promise<{ shape: number[]; data: Float32Array }> {
    const data = await tensor.read() as Float32Array;
    const { shape } = tensor;
    const swaps = isConvolution(name, shape);
    const wide = swaps ? [shape[0]!, shape[2]!, shape[1]!] : shape;
    const published = this.#published.get(name) ?? wide;
    return { shape: [...published], data: resized(swaps ? swapTaps(data, shape) : data, wide, published) };
  }

  /** Gives the memory of all weights back. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    for (const { made } of this.#prepared.values()) made.dispose();
    this.#tensors.clear();
    this.#prepared.clear();
  }

  /** Number of numbers. */
  get size(): number {
    return [...this.#tensors.values()].reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
  }
}
