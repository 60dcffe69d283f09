import type { DeviceErrors } from "./device_errors.ts";
import { ShaderStage } from "./flags.ts";
import type { Kernel, ShaderBinding } from "./kernel.ts";

/** A compiled entry point with the layout of its bindings. */
export interface Pipeline {
  /** Unique number; part of bind-group keys. */
  readonly id: number;
  /** `kernel.entry` with its constants, for labels. */
  readonly label: string;
  /** The WebGPU pipeline. */
  readonly pipeline: GPUComputePipeline;
  /** Layout of group 0. */
  readonly layout: GPUBindGroupLayout;
  /** The bindings of the entry point, in the order of the kernel. */
  readonly bindings: readonly ShaderBinding[];
  /** Whether `Params` is one of them. */
  readonly hasParams: boolean;
}

/** Values of `override` constants. */
export type Constants = Record<string, number | boolean>;

const layoutEntry = ({ kind, format }: ShaderBinding): Partial<GPUBindGroupLayoutEntry> => {
  switch (kind) {
    case "read":
      return { buffer: { type: "read-only-storage" } };
    case "write":
      return { buffer: { type: "storage" } };
    case "uniform":
      return { buffer: { type: "uniform", hasDynamicOffset: true } };
    case "texture-read":
      return { storageTexture: { format: format!, access: "read-only" } };
    case "texture-write":
      return { storageTexture: { format: format!, access: "write-only" } };
  }
};

function areEqual(a: Constants, b: Constants): boolean {
  let more = 0;
  for (const name in a) {
    if (a[name] !== b[name]) return false;
    more++;
  }
  for (const _ in b) more--;
  return more === 0;
}

/** Compiled pipelines by kernel, entry point and override constants. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #errors: DeviceErrors;
  readonly #subgroups: string | null;
  readonly #reduce: boolean;
  readonly #modules = new Map<Kernel, GPUShaderModule>();
  /** By entry point; one has few sets of constants, and comparing them makes no string. */
  readonly #pipelines = new Map<Kernel, Map<string, { constants: Constants; pipeline: Pipeline }[]>>();
  #count = 0;

  /**
   * An empty cache.
   *
   * @param device Device that compiles.
   * @param errors Where compile errors go.
   * @param subgroups Line that enables subgroups; null if the device has none.
   * @param reduce Whether reductions use them.
   */
  constructor(device: GPUDevice, errors: DeviceErrors, subgroups: string | null, reduce: boolean) {
    this.#device = device;
    this.#errors = errors;
    this.#subgroups = subgroups;
    this.#reduce = reduce;
  }

  /** Number of pipelines compiled so far. */
  get count(): number {
    return this.#count;
  }

  /** The pipeline of an entry point, compiled by the first call. */
  get(kernel: Kernel, entry: string, constants: Constants): Pipeline {
    let entries = this.#pipelines.get(kernel);
    if (!entries) this.#pipelines.set(kernel, entries = new Map());
    let known = entries.get(entry);
    if (!known) entries.set(entry, known = []);
    for (let i = 0; i < known.length; i++) {
      if (areEqual(known[i]!.constants, constants)) return known[i]!.pipeline;
    }
    const pipeline = this.#compile(kernel, entry, constants);
    known.push({ constants: { ...constants }, pipeline });
    return pipeline;
  }

  #compile(kernel: Kernel, entry: string, constants: Constants): Pipeline {
    const bindings = kernel.used(entry);
    let label = `${kernel.name}.${entry}`;
    for (const name in constants) label += ` ${name}=${constants[name]}`;
    const module = this.#module(kernel);
    const close = this.#errors.guard(`compile ${label}`);
    const layout = this.#device.createBindGroupLayout({
      label,
      entries: bindings.map((binding) => ({
        binding: binding.index,
        visibility: ShaderStage.COMPUTE,
        ...layoutEntry(binding),
      })),
    });
    const pipeline = this.#device.createComputePipeline({
      label,
      layout: this.#device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: {
        module,
        entryPoint: entry,
        constants: Object.fromEntries(
          Object.entries(constants).map(([name, value]) => [name, Number(value)]),
        ),
      },
    });
    close();
    const hasParams = bindings.some(({ kind }) => kind === "uniform");
    return { id: ++this.#count, label, pipeline, layout, bindings, hasParams };
  }

  #module(kernel: Kernel): GPUShaderModule {
    const known = this.#modules.get(kernel);
    if (known) return known;
    // What the scope catches is dropped: the messages below state it with the place.
    this.#device.pushErrorScope("validation");
    const reduces = this.#reduce && kernel.subgroupSource !== null;
    const enable = reduces || kernel.shuffles ? this.#subgroups ?? "" : "";
    const code = enable + (reduces ? kernel.subgroupSource : kernel.source);
    const module = this.#device.createShaderModule({ label: kernel.name, code });
    this.#device.popErrorScope().catch(() => {});
    this.#modules.set(kernel, module);
    this.#errors.watch(
      module.getCompilationInfo().then(({ messages }) => {
        const error = messages.find((message) => message.type === "error");
        if (!error) return;
        const { lineNum, linePos, message } = error;
        const line = code.split("\n")[lineNum - 1]?.trim() ?? "";
        const place = `${kernel.name}.wgsl:${lineNum}:${linePos}`;
        this.#errors.add(
          new Error(`Cannot compile ${place} as WGSL: ${message.trim()}\n  ${line}`),
        );
      }, () => {}), // a lost device rejects; `throwIfLost` reports it
    );
    return module;
  }
}
