import type { Resource, Slice } from "./dispatch.ts";
import { BufferUsage } from "./flags.ts";
import type { BindingKind, Kernel } from "./kernel.ts";
import type { Pipeline } from "./pipelines.ts";
import type { PooledTexture } from "./texture_pool.ts";
import { roundUp } from "./align.ts";
import { elementBytes } from "./dtype.ts";
import { showShape } from "./shape.ts";
import { SequenceMap } from "./sequence_map.ts";
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

/** Number of groups at which all are dropped, since tensors come and go with the sizes of batches. */
const MOST = 1 << 14;

const isTexture = (resource: Resource): resource is PooledTexture =>
  !(resource instanceof Tensor) && "texture" in resource;

const tensorOf = (resource: Tensor | Slice): Tensor =>
  resource instanceof Tensor ? resource : resource.tensor;

/** Bind groups by pipeline and resources, so that a step that binds the same buffers makes none. */
export class BindGroups {
  readonly #gpu: BindGroupOptions;
  readonly #groups = new SequenceMap<GPUBindGroup>();
  /** Keys of the groups of each buffer and texture. */
  readonly #keysOf = new Map<string, (readonly number[])[]>();
  /** Key of the group that is looked for: pipeline, then id, offset and size of buffers, −id of textures, 0 for absent ones. */
  readonly #key: number[] = [];
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
    const key = this.#key;
    key.length = 0;
    key.push(pipeline.id);
    let named = 0;
    const { bindings } = pipeline;
    for (let i = 0; i < bindings.length; i++) { // loops without iterators, since every dispatch passes here
      const { name, kind } = bindings[i]!;
      if (kind === "uniform") continue;
      const resource = bind[name];
      if (resource === undefined) {
        throw new TypeError(`Cannot run ${pipeline.label} as it binds ${name}: none is given`);
      }
      if (resource === null) {
        key.push(0);
        continue;
      }
      named++;
      if (isTexture(resource)) key.push(-resource.id);
      else {
        this.#addRange(pipeline, name, resource);
        const { storage } = tensorOf(resource);
        if (kind === "write") storage.version++;
        storage.entry.lastUse = submission;
      }
    }
    let given = 0;
    for (const name in bind) if (bind[name] !== null) given++;
    if (named !== given) {
      const known = new Set(pipeline.bindings.map((binding) => binding.name));
      const extra = Object.keys(bind).filter((name) => bind[name] !== null && !known.has(name));
      throw new TypeError(`Cannot run ${pipeline.label} as it does not bind ${extra}`);
    }
    return this.#groups.get(key) ?? this.#make(kernel, pipeline, bind);
  }

  /** The group of the key that was looked for. */
  #make(kernel: Kernel, pipeline: Pipeline, bind: Record<string, Resource | null>): GPUBindGroup {
    const owners: string[] = [];
    let at = 1; // in the key
    const entries = pipeline.bindings.map(({ name, index, kind }): GPUBindGroupEntry => {
      if (kind === "uniform") {
        const size = UniformRing.bytesOf(kernel);
        return { binding: index, resource: { buffer: this.#gpu.uniforms, size } };
      }
      const resource = bind[name]!;
      const id = this.#key[at++]!;
      if (resource === null) return { binding: index, resource: this.#absent(kind, index) };
      if (isTexture(resource)) {
        owners.push(`t${resource.id}`);
        return { binding: index, resource: resource.view };
      }
      owners.push(`b${id}`);
      const { buffer } = tensorOf(resource).storage.entry;
      const [offset, size] = [this.#key[at++]!, this.#key[at++]!];
      return { binding: index, resource: { buffer, offset, size } };
    });
    const close = this.#gpu.guard(`bind the resources of ${pipeline.label}`);
    const group = this.#gpu.device.createBindGroup({
      label: pipeline.label,
      layout: pipeline.layout,
      entries,
    });
    close();
    if (this.#groups.size >= MOST) this.#clear();
    const key = this.#groups.add(this.#key, group);
    for (const owner of owners) {
      const keys = this.#keysOf.get(owner);
      if (keys) keys.push(key);
      else this.#keysOf.set(owner, [key]);
    }
    return group;
  }

  /** Drops the groups of a destroyed buffer (`b` and its id) or texture (`t` and its id). */
  forget(owner: string): void {
    for (const key of this.#keysOf.get(owner) ?? []) this.#groups.delete(key);
    this.#keysOf.delete(owner);
  }

  #clear(): void {
    this.#groups.clear();
    this.#keysOf.clear();
  }

  /** A buffer for a binding that is neither read nor written: 256 bytes, different ones for each binding that a shader may write. */
  #absent(kind: BindingKind, index: number): GPUBufferBinding {
    if (kind === "read") {
      this.#unread ??= this.#allocate("unread", 256);
      return { buffer: this.#unread, size: 256 };
    }
    this.#unwritten ??= this.#allocate("unwritten", 256 * 32);
    return { buffer: this.#unwritten, offset: 256 * index, size: 256 };
  }

  #allocate(label: string, size: number): GPUBuffer {
    const close = this.#gpu.guard(`allocate ${size} bytes`);
    const buffer = this.#gpu.device.createBuffer({ label, size, usage: BufferUsage.STORAGE });
    close();
    return buffer;
  }

  /** Adds the buffer of a resource and its range, in bytes, to the key. */
  #addRange(pipeline: Pipeline, name: string, resource: Tensor | Slice): void {
    const tensor = tensorOf(resource);
    const slice = resource instanceof Tensor ? null : resource;
    const start = slice?.start ?? 0;
    const length = slice?.length ?? tensor.size - start;
    if (tensor.gpu !== this.#gpu.owner) {
      throw new TypeError(`Cannot run ${pipeline.label} as ${name} must be of the same device`);
    }
    const bytes = elementBytes(tensor.dtype);
    const offset = (tensor.offset + start) * bytes;
    const size = Math.max(4, roundUp(length * bytes, 4));
    if (size > this.#gpu.bindingBytes) {
      throw new RangeError(
        `Cannot bind ${name} of ${pipeline.label} as the adapter binds at most ` +
          `${this.#gpu.bindingBytes} bytes: ${showShape(tensor.shape)} needs ${size}`,
      );
    }
    this.#key.push(tensor.storage.entry.id, offset, size);
  }
}
