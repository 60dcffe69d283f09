// Gates between host and device: one upload and one read-back a step.

import type { ModelConfig } from "../model/config.ts";
import { paddedUnits } from "../model/padded_widths.ts";
import type { Gates } from "../model/gates.ts";
import { roundUp } from "../tensor/align.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { UnitGroup } from "./groups.ts";

/**
 * The gates of a model's groups on the device, in one buffer; units that the device adds are closed. It owns them: dispose it after the step.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { requestGpu } from "../tensor/gpu.ts";
 * import { DeviceGates } from "./device_gates.ts";
 * import { unitGroups } from "./groups.ts";
 *
 * const gpu = await requestGpu();
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const groups = unitGroups(config);
 * const open = new Map(groups.map(({ name, units }) => [name, new Float64Array(units).fill(1)]));
 * using gates = new DeviceGates(gpu, config, groups, open);
 * gates.gates.conv[0]!.shape; // [24]
 * gpu.destroy();
 * ```
 */
export class DeviceGates {
  /** What {@linkcode SpeechModel.forward} takes; null for layers without gates. */
  readonly gates: Gates;
  readonly #gpu: Gpu;
  readonly #flat: Tensor;
  readonly #places = new Map<string, { readonly gate: Tensor; readonly units: number }>();
  /** Where gradients are written until they are read, each gate's in its place, and the gates that have been told. */
  #gradients: Tensor | null = null;
  readonly #told = new Set<Tensor>();

  /**
   * Uploads gates.
   *
   * @param gpu Device.
   * @param config Architecture.
   * @param groups Groups that have gates.
   * @param values Gates by group.
   * @param options `requiresGrad`: whether the gates want gradients; false unless given.
   */
  constructor(
    gpu: Gpu,
    config: ModelConfig,
    groups: readonly UnitGroup[],
    values: ReadonlyMap<string, ArrayLike<number>>,
    options: { readonly requiresGrad?: boolean } = {},
  ) {
    this.#gpu = gpu;
    const starts: number[] = [];
    let size = 0;
    for (const { kind, units } of groups) {
      starts.push(size);
      size = roundUp(size + paddedUnits(kind, units));
    }
    const numbers = new Float32Array(size);
    groups.forEach(({ name }, g) => numbers.set(values.get(name)!, starts[g]));
    this.#flat = gpu.keep(gpu.tensor(numbers));
    const lists = {
      conv: new Array<Tensor | null>(config.conv_dim.length).fill(null),
      heads: new Array<Tensor | null>(config.num_hidden_layers).fill(null),
      ffn: new Array<Tensor | null>(config.num_hidden_layers).fill(null),
    };
    groups.forEach(({ name, kind, layer, units }, g) => {
      const gate = gpu.keep(
        new Tensor(gpu, this.#flat.storage, [paddedUnits(kind, units)], "f32", starts[g]),
      );
      gate.requiresGrad = options.requiresGrad ?? false;
      gpu.tape.places.set(gate, () => this.#place(gate));
      this.#places.set(name, { gate, units });
      lists[kind][layer] = gate;
    });
    this.gates = lists;
  }

  #place(gate: Tensor): Tensor | null {
    if (this.#told.has(gate)) return null;
    this.#told.add(gate);
    const gpu = this.#gpu;
    this.#gradients ??= gpu.keep(gpu.zeros(this.#flat.shape));
    return new Tensor(gpu, this.#gradients.storage, gate.shape, "f32", gate.offset);
  }

  /**
   * Reads the gates' gradients back, all at once.
   *
   * @param grads What {@linkcode backward} returned; they stay the caller's.
   * @returns By group; zeros where the loss does not depend on the gates.
   */
  async readGradients(grads: ReadonlyMap<Tensor, Tensor>): Promise<Map<string, Float32Array>> {
    const gpu = this.#gpu;
    using all = this.#gradients ?? gpu.keep(gpu.zeros(this.#flat.shape));
    this.#gradients = null;
    this.#told.clear();
    for (const { gate } of this.#places.values()) {
      const grad = grads.get(gate);
      if (!grad || grad.storage === all.storage) continue;
      using place = new Tensor(gpu, all.storage, gate.shape, "f32", gate.offset);
      gpu.copy(grad, place);
    }
    const numbers = await all.read() as Float32Array;
    return new Map(
      [...this.#places].map(([name, { gate: { offset }, units }]) => {
        return [name, numbers.slice(offset, offset + units)];
      }),
    );
  }

  /** Gives their memory back. */
  dispose(): void {
    for (const { gate } of this.#places.values()) gate.dispose();
    this.#gradients?.dispose();
    this.#flat.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
