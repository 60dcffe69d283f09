import { Arena } from "../tensor/arena.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { GradientSink } from "../tensor/gradient_sink.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The gradients of a model's gates, in one buffer: one read-back brings them to the host. */
export class GateGradientSink implements GradientSink {
  readonly #units: ReadonlyMap<string, number>;
  readonly #indices: ReadonlyMap<Tensor, number>;
  readonly #arena: Arena;
  /** Gates whose slot was handed out, and gates that have a gradient. */
  readonly #reserved = new Set<Tensor>();
  readonly #taken = new Set<Tensor>();

  /** Allocates zeros. @param gpu Device. @param gates Gates and number of units by group. */
  constructor(
    gpu: Gpu,
    gates: ReadonlyMap<string, { readonly gate: Tensor; readonly units: number }>,
  ) {
    const all = [...gates];
    this.#units = new Map(all.map(([name, { units }]) => [name, units]));
    this.#indices = new Map(all.map(([, { gate }], i) => [gate, i]));
    this.#arena = new Arena(gpu, all.map(([, { gate }]) => gate.shape));
    for (const tensor of [this.#arena.flat, ...this.#arena.slots]) gpu.keep(tensor);
  }

  /** Memory for the first part of a gate's gradient, see {@linkcode GradientSink.slot}. */
  slot(tensor: Tensor): Tensor | null {
    const index = this.#indices.get(tensor);
    if (index === undefined || this.#reserved.has(tensor) || this.#taken.has(tensor)) return null;
    this.#reserved.add(tensor);
    return this.#arena.slots[index]!.view();
  }

  /** Adds a part of a gate's gradient, see {@linkcode GradientSink.take}. */
  take(tensor: Tensor, part: Tensor): boolean {
    const index = this.#indices.get(tensor);
    if (index === undefined) return false;
    const slot = this.#arena.slots[index]!;
    const inPlace = part.storage === slot.storage && part.offset === slot.offset;
    if (this.#taken.has(tensor)) this.#arena.add(index, part);
    else if (!inPlace) this.#arena.write(index, part);
    this.#taken.add(tensor);
    return true;
  }

  /** Reads back the gradients, and frees their memory. @returns By group; zeros where the loss does not depend on the gates. */
  async read(): Promise<Map<string, Float32Array>> {
    const { flat, slots } = this.#arena;
    try {
      const values = await flat.read() as Float32Array;
      return new Map(
        [...this.#units].map(([name, units], i) => {
          const { offset } = slots[i]!;
          return [name, values.slice(offset, offset + units)];
        }),
      );
    } finally {
      this.dispose();
    }
  }

  /** Frees the memory. */
  dispose(): void {
    this.#arena.dispose();
  }
}
