import type { Resource, Slice } from "./dispatch.ts";
import { BufferUsage } from "./flags.ts";
import type { BindingKind, Kernel } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";
import type { PooledBuffer } from "./pool.ts";
import type { PooledTexture } from "./texture_pool.ts";
import { roundUp } from "./align.ts";
import { elementBytes } from "./dtype.ts";
import { showShape } from "./shape.ts";
import type { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import { UniformRing } from "./uniforms.ts";

/** What {@linkcode BindGroups} works with. */
export interface BindGroupOptions {
  /** The {@linkcode Gpu} whose tensors may be bound. */
  readonly owner: object;
  /** Its WebGPU device. */
  readonly device: GPUDevice;
  /** Largest storage binding, in bytes. */
  readonly bindingBytes: number;
  /** Buffer of the `Params`, bound with a dynamic offset. */
  readonly uniforms: GPUBuffer;
  /** Opens an error scope under a label and returns the function that closes it. */
  readonly guard: (label: string) => () => void;
}

/** A range of a buffer, in bytes. */
interface BufferRange {
  readonly storage: Storage;
  readonly entry: PooledBuffer;
  readonly offset: number;
  readonly size: number;
}

/** The resource of a binding; null where the constants leave it unused. */
type BoundRange = BufferRange | PooledTexture | null;

/** Number of groups at which all are dropped, since tensors come and go with the sizes of batches. */
const MOST = 1 << 14;

const isTexture = (resource: Resource): resource is PooledTexture =>
  "view" in resource && "texture" in resource;

/** Bind groups by pipeline and resources, so that a step that binds the same buffers makes none. */
export class BindGroups {
  readonly #gpu: BindGroupOptions;
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #groupsOf = new Map<string, string[]>();
  #unread: GPUBuffer | null = null;
  #unwritten: GPUBuffer | null = null;

  /** Starts empty. @param gpu Parts of the device. */
  constructor(gpu: BindGroupOptions) {
    this.#gpu = gpu;
  }

  /**
   * The bind group of a dispatch.
   *
   * @param kernel Kernel that runs.
   * @param pipeline Its pipeline.
   * @param bind Resource by variable name; null for one that the constants leave unused.
   * @param submission Number of the submission that the dispatch belongs to.
   * @throws {TypeError} If a binding is missing or unknown, or a tensor is of another device.
   * @throws {RangeError} If a binding exceeds the adapter's limit.
   */
  get(
    kernel: Kernel,
    pipeline: Pipeline,
    bind: Record<string, Resource | null>,
    submission: number,
  ): GPUBindGroup {
    const resources: BoundRange[] = [];
    let key = `${pipeline.id}`;
    let named = 0;
    for (const { name, kind } of pipeline.bindings) {
      if (kind === "uniform") continue;
      const resource = bind[name];
      if (resource === undefined) {
        throw new TypeError(`Cannot run ${pipeline.label} as it binds ${name}: none is given`);
      }
      if (resource !== null) named++;
      const bound = resource === null || isTexture(resource)
        ? resource
        : this.#range(pipeline, name, resource);
      if (bound && "entry" in bound) {
        if (kind === "write") bound.storage.version++;
        bound.entry.lastUse = submission;
        key += `|b${bound.entry.id}:${bound.offset}:${bound.size}`;
      } else {
        key += bound ? `|t${bound.id}` : "|-";
      }
      resources.push(bound);
    }
    let given = 0;
    for (const name in bind) if (bind[name] !== null) given++;
    if (named !== given) {
      const known = new Set(pipeline.bindings.map((binding) => binding.name));
      const extra = Object.keys(bind).filter((name) => bind[name] !== null && !known.has(name));
      throw new TypeError(`Cannot run ${pipeline.label} as it does not bind ${extra}`);
    }
    return this.#groups.get(key) ?? this.#make(kernel, pipeline, key, resources);
  }

  /** A group for resources in the order of the bindings, without that of `Params`. */
  #make(kernel: Kernel, pipeline: Pipeline, key: string, resources: readonly BoundRange[]): GPUBindGroup {
    const owners: string[] = [];
    let next = 0;
    const entries = pipeline.bindings.map(({ index, kind }): GPUBindGroupEntry => {
      if (kind === "uniform") {
        const size = UniformRing.bytesOf(kernel);
        return { binding: index, resource: { buffer: this.#gpu.uniforms, size } };
      }
      const bound = resources[next++]!;
      if (bound === null) return { binding: index, resource: this.#absent(kind, index) };
      if ("view" in bound) {
        owners.push(`t${bound.id}`);
        return { binding: index, resource: bound.view };
      }
      const { entry, offset, size } = bound;
      owners.push(`b${entry.id}`);
      return { binding: index, resource: { buffer: entry.buffer, offset, size } };
    });
    const close = this.#gpu.guard(`bind the resources of ${pipeline.label}`);
    const group = this.#gpu.device.createBindGroup({
      label: pipeline.label,
      layout: pipeline.layout,
      entries,
    });
    close();
    if (this.#groups.size >= MOST) this.#clear();
    this.#groups.set(key, group);
    for (const owner of owners) {
      const keys = this.#groupsOf.get(owner);
      if (keys) keys.push(key);
      else this.#groupsOf.set(owner, [key]);
    }
    return group;
  }

  /** Drops the groups of a destroyed buffer (`b` and its id) or texture (`t` and its id). */
  forget(owner: string): void {
    for (const key of this.#groupsOf.get(owner) ?? []) this.#groups.delete(key);
    this.#groupsOf.delete(owner);
  }

  #clear(): void {
    this.#groups.clear();
    this.#groupsOf.clear();
  }

  /** A buffer for a binding that is neither read nor written: 256 bytes, different ones for each binding that a shader may write. */
  #absent(kind: BindingKind, index: number): GPUBufferBinding {
    const usage = BufferUsage.STORAGE;
    if (kind === "read") {
      this.#unread ??= this.#gpu.device.createBuffer({ label: "unread", size: 256, usage });
      return { buffer: this.#unread, size: 256 };
    }
    this.#unwritten ??= this.#gpu.device.createBuffer({ label: "unwritten", size: 256 * 32, usage });
    return { buffer: this.#unwritten, offset: 256 * index, size: 256 };
  }

  #range(pipeline: Pipeline, name: string, resource: Tensor | Slice): BufferRange {
    const { tensor, start = 0, length } = resource instanceof Tensor ? { tensor: resource } : resource;
    if (tensor.gpu !== this.#gpu.owner) {
      throw new TypeError(`Cannot run ${pipeline.label} as ${name} must be of the same device`);
    }
    const { storage } = tensor;
    const bytes = elementBytes(tensor.dtype);
    const offset = (tensor.offset + start) * bytes;
    const size = Math.max(4, roundUp((length ?? tensor.size - start) * bytes, 4));
    if (size > this.#gpu.bindingBytes) {
      throw new RangeError(
        `Cannot bind ${name} of ${pipeline.label} as the adapter binds at most ` +
          `${this.#gpu.bindingBytes} bytes: ${showShape(tensor.shape)} needs ${size}`,
      );
    }
    return { storage, entry: storage.entry, offset, size };
  }
}
