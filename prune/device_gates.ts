// Gates between host and device: one upload and one read-back per step.

import type { ModelConfig } from "../model/config.ts";
import { paddedUnits } from "../model/padded_widths.ts";
import type { Gates } from "../model/gates.ts";
import { roundUp } from "../tensor/align.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { GradientSink } from "../tensor/gradient_sink.ts";
import { Tensor } from "../tensor/tensor.ts";
import { GateGradientSink } from "./gate_gradient_sink.ts";
import type { UnitGroup } from "./groups.ts";

/**
 * The gates of a model's groups on the device, in one buffer. The gates of padding units are 0. Dispose it after the step.
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
  /** Gates as {@linkcode SpeechModel.forward} takes them; null for layers without gates. */
  readonly gates: Gates;
  readonly #gpu: Gpu;
  readonly #flat: Tensor;
  readonly #byGroup = new Map<string, { readonly gate: Tensor; readonly units: number }>();
  readonly #sinks: GateGradientSink[] = [];

  /**
   * Uploads gates.
   *
   * @param gpu Device.
   * @param config Architecture.
   * @param groups Groups that have gates.
   * @param values Gates by group.
   * @param options `requiresGrad`: whether the gates require gradients; default: false.
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
    const flat = new Float32Array(size);
    groups.forEach(({ name }, g) => flat.set(values.get(name)!, starts[g]));
    this.#flat = gpu.keep(gpu.tensor(flat));
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
      this.#byGroup.set(name, { gate, units });
      lists[kind][layer] = gate;
    });
    this.gates = lists;
  }

  /** A new gradient sink for the {@linkcode backward} of a micro-batch; the gates dispose it. */
  gradientSink(): GradientSink {
    const sink = new GateGradientSink(this.#gpu, this.#byGroup);
    this.#sinks.push(sink);
    return sink;
  }

  /**
   * Reads back the gradients of all micro-batches, and frees their memory.
   *
   * @returns Gradients by group, for each {@linkcode DeviceGates.gradientSink} in order; zeros where the loss does not
   * depend on the gates.
   */
  readGradients(): Promise<Map<string, Float32Array>[]> {
    return Promise.all(this.#sinks.splice(0).map((sink) => sink.read()));
  }

  /** Frees the memory. */
  dispose(): void {
    for (const sink of this.#sinks) sink.dispose();
    for (const { gate } of this.#byGroup.values()) gate.dispose();
    this.#flat.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
