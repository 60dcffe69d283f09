import type { Gpu } from "../tensor/gpu.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";

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

/**
 * A model's weights on the device by their published names, without the prefix `wav2vec2.`, `hubert.` or
 * `wavlm.`. Convolution weights are [O, K, C] here; {@linkcode Parameters.read} gives them back as published.
 *
 * @example
 * ```ts
 * import { Parameters, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const weights = new Parameters(gpu);
 * weights.add("lm_head.bias", [2], Float32Array.of(1, 2));
 * console.log(weights.names, weights.get("lm_head.bias").shape); // ["lm_head.bias"] [2]
 * gpu.destroy();
 * ```
 */
export class Parameters {
  readonly #tensors = new Map<string, Tensor>();

  /** Device that holds them. */
  readonly gpu: Gpu;

  /** Holds no weights yet. @param gpu Device that will hold them. */
  constructor(gpu: Gpu) {
    this.gpu = gpu;
  }

  /** The names. */
  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  /** Uploads a weight as published. */
  add(name: string, shape: readonly number[], data: Float32Array): void {
    const tensor = isConvolution(name, shape)
      ? this.gpu.tensor(swapTaps(data, shape), [shape[0]!, shape[2]!, shape[1]!])
      : this.gpu.tensor(data, shape);
    this.#tensors.set(name, tensor);
  }

  /** Holds a tensor as it is on the device, convolutions as [O, K, C]; it is disposed with the others. */
  set(name: string, tensor: Tensor): void {
    this.#tensors.set(name, tensor);
  }

  /** Whether there is a weight of this name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A weight. @throws {ReferenceError} If there is none of this name. */
  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new ReferenceError(`Cannot run the model as it has no weight of that name: ${name}`);
    return tensor;
  }

  /** A weight, or null. */
  find(name: string): Tensor | null {
    return this.#tensors.get(name) ?? null;
  }

  /** Weight and bias of a layer; the bias may be absent. */
  layer(name: string): { w: Tensor; b: Tensor | null } {
    return { w: this.get(`${name}.weight`), b: this.find(`${name}.bias`) };
  }

  /** Weight and bias of a norm. */
  norm(name: string): { w: Tensor; b: Tensor } {
    return { w: this.get(`${name}.weight`), b: this.get(`${name}.bias`) };
  }

  /** Asks for gradients of the weights whose name passes, of all unless a test is given. */
  require(passes: (name: string) => boolean = () => true): Tensor[] {
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
    if (!isConvolution(name, shape)) return { shape: [...shape], data };
    return { shape: [shape[0]!, shape[2]!, shape[1]!], data: swapTaps(data, shape) };
  }

  /** Gives the memory of all weights back. */
  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }

  /** Number of numbers. */
  get size(): number {
    return [...this.#tensors.values()].reduce((sum, tensor) => sum + sizeOf(tensor.shape), 0);
  }
}
