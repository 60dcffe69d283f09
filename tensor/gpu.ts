import { requestDevice } from "./adapter.ts";
import { roundUp } from "./align.ts";
import { BindGroups } from "./bind_groups.ts";
import { Commands } from "./commands.ts";
import { DeviceErrors } from "./device_errors.ts";
import type { Dispatch, GpuLimits, GpuOptions, TextureRows } from "./gpu_options.ts";
import { dtypeOf, type HostArray, inWords, typedArrayOf } from "./host_data.ts";
import type { Kernel } from "./kernel.ts";
import { PipelineCache } from "./pipelines.ts";
import { BufferPool, SPARE } from "./pool.ts";
import { Profiler } from "./profiler.ts";
import { ReadBack, type Staging } from "./read_back.ts";
import { Scopes } from "./scopes.ts";
import { type PooledTexture, TexturePool } from "./texture_pool.ts";
import { Tape } from "./tape.ts";
import { type DType, elementBytes, showShape, sizeOf, Storage, Tensor, type TensorData } from "./tensor.ts";
import { UniformRing } from "./uniforms.ts";

/**
 * A WebGPU device with its memory, its compiled shaders, its tape and the commands not yet submitted. Made by
 * {@linkcode requestGpu}.
 */
export class Gpu {
  /** The adapter that was chosen. */
  readonly adapter: GPUAdapter;
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Name of the adapter, as its driver gives it. */
  readonly name: string;
  /** Whether the adapter runs on the processor, so that what is fast there is fast here. */
  readonly software: boolean;
  /** Limits that operations plan with. */
  readonly limits: GpuLimits;
  /** Buffers of the tensors. */
  readonly pool: BufferPool;
  /** Textures of the products. */
  readonly textures: TexturePool;
  /** Recorded operations. */
  readonly tape: Tape = new Tape();
  /** Compiled shaders. */
  readonly pipelines: PipelineCache;
  /** Time by kernel, if the option asked for it. */
  readonly profiler: Profiler | null;
  readonly #faults: DeviceErrors;
  readonly #uniforms: UniformRing;
  readonly #readBack: ReadBack;
  readonly #groups: BindGroups;
  readonly #commands: Commands;
  readonly #scopes = new Scopes();

  /**
   * Takes a device over. {@linkcode requestGpu} is the way to make one.
   *
   * @param adapter Adapter of the device.
   * @param device Device, used by nobody else.
   * @param options As for {@linkcode requestGpu}.
   */
  constructor(adapter: GPUAdapter, device: GPUDevice, options: GpuOptions) {
    this.adapter = adapter;
    this.device = device;
    const { vendor, architecture, description } = adapter.info;
    this.name = description || [vendor, architecture].filter(Boolean).join(" ") || "unnamed adapter";
    const told = `${this.name} ${architecture} ${adapter.info.device}`;
    this.software = options.software ?? /llvmpipe|swiftshader|lavapipe|basic render/i.test(told);
    const given = options.limits ?? {};
    const least = (ours: number, limit: number | undefined) => Math.min(ours, limit ?? Infinity);
    this.limits = {
      bindingBytes: least(device.limits.maxStorageBufferBindingSize, given.bindingBytes),
      workgroups: least(device.limits.maxComputeWorkgroupsPerDimension, given.workgroups),
      texture: least(device.limits.maxTextureDimension2D, given.texture),
    };
    this.#faults = new DeviceErrors(device);
    const forget = (kind: string) => (id: number) => this.#groups.forget(`${kind}${id}`);
    this.pool = new BufferPool(device, this.#faults.guard, forget("b"));
    this.textures = new TexturePool(device, this.#faults.guard, forget("s"), () => this.flush());
    this.pipelines = new PipelineCache(device, this.#faults);
    this.#uniforms = new UniformRing(device);
    this.#readBack = new ReadBack(device, this.#faults.guard);
    this.#groups = new BindGroups({
      owner: this,
      device,
      bindingBytes: this.limits.bindingBytes,
      uniforms: this.#uniforms.buffer,
      guard: this.#faults.guard,
    });
    const timed = options.profile && device.features.has("timestamp-query");
    this.profiler = timed ? new Profiler(device) : null;
    this.#commands = new Commands({
      device,
      faults: this.#faults,
      uniforms: this.#uniforms,
      profiler: this.profiler,
    });
  }

  /** Whether tensors may be f16. */
  get half(): boolean {
    return this.device.features.has("shader-f16");
  }

  /**
   * A tensor without defined content.
   *
   * @throws {RangeError} If an extent is no whole number.
   * @throws {TypeError} If it is to be f16 and the adapter has no such numbers.
   */
  empty(shape: readonly number[], dtype: DType = "f32"): Tensor {
    this.#checkNew(shape, dtype);
    const bytes = sizeOf(shape) * elementBytes(dtype);
    return new Tensor(this, new Storage(this.pool.take(bytes)), shape, dtype);
  }

  /** A tensor of zeros. */
  zeros(shape: readonly number[], dtype: DType = "f32"): Tensor {
    const tensor = this.empty(shape, dtype);
    const bytes = roundUp(tensor.bytes, 4);
    const { entry } = tensor.storage;
    if (bytes > 0) {
      this.#commands.encoder().clearBuffer(entry.buffer, 0, bytes);
      entry.lastUse = this.#commands.submission;
    }
    return tensor;
  }

  /**
   * A tensor with the given numbers.
   *
   * @param data Numbers in row-major order; an `Int32Array` makes an i32 tensor, a `Float16Array` an f16 one.
   * @param shape Its extents; one dimension unless given.
   * @throws {TypeError} If the shape's size is not the number of numbers.
   * @throws {TypeError} If they are f16 and the adapter has no such numbers.
   * @throws {RangeError} If an extent is no whole number.
   * @example
   * ```ts
   * import { requestGpu } from "../mod.ts";
   *
   * const gpu = await requestGpu();
   * const x = gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
   * console.log(x.shape, x.dtype); // [2, 3] "f32"
   * gpu.destroy();
   * ```
   */
  tensor(
    data: readonly number[] | HostArray,
    shape: readonly number[] = [data.length],
  ): Tensor {
    const typed = ArrayBuffer.isView(data) ? data as HostArray : Float32Array.from(data);
    const dtype = dtypeOf(typed);
    this.#checkNew(shape, dtype);
    if (sizeOf(shape) !== data.length) {
      throw new TypeError(
        `Cannot make a tensor as its size must be that of the data: ${
          showShape(shape)
        } for ${data.length} numbers`,
      );
    }
    const storage = new Storage(this.pool.take(typed.byteLength, this.#commands.submission));
    const tensor = new Tensor(this, storage, shape, dtype);
    if (typed.length > 0) {
      const close = this.#faults.guard("upload a tensor");
      this.device.queue.writeBuffer(storage.entry.buffer, 0, inWords(typed));
      close();
    }
    return tensor;
  }

  /**
   * Records one dispatch of a shader; it runs with the next submission.
   *
   * @throws {TypeError} If a binding or a field of `Params` is missing, unknown or of the wrong kind, or if a
   * tensor is of another device.
   * @throws {RangeError} If a binding exceeds the adapter's limit.
   */
  run(kernel: Kernel, dispatch: Dispatch): void {
    const { entry = "main", bind, params = {}, constants = {}, workgroups } = dispatch;
    this.#faults.throwIfLost(`run ${kernel.name}`);
    if (workgroups <= 0) return;
    if (!this.#uniforms.fits(kernel)) this.flush();
    const pipeline = this.pipelines.get(kernel, entry, constants);
    const group = this.#groups.get(kernel, pipeline, bind, this.#commands.submission);
    const across = Math.min(workgroups, this.limits.workgroups);
    const down = Math.ceil(workgroups / across);
    if (down > this.limits.workgroups) {
      throw new RangeError(
        `Cannot run ${kernel.name} as a dispatch has at most ${this.limits.workgroups}² workgroups: ${workgroups}`,
      );
    }
    const at = pipeline.hasParams ? [this.#uniforms.push(kernel, params)] : [];
    this.#commands.dispatch(pipeline.label, (pass) => {
      pass.setPipeline(pipeline.pipeline);
      pass.setBindGroup(0, group, at);
      pass.dispatchWorkgroups(across, down);
    });
  }

  /** Copies the numbers of `from` to `to`, of equal size and type, both wholly their own or views. */
  copy(from: Tensor, to: Tensor): void {
    if (from.size !== to.size || from.bytes !== to.bytes) {
      throw new TypeError(`Cannot copy as sizes must be equal: ${showTensor(from)} to ${showTensor(to)}`);
    }
    if (from.size === 0) return;
    const source = from.storage.entry;
    const target = to.storage.entry;
    this.#commands.encoder().copyBufferToBuffer(
      source.buffer,
      from.offset * elementBytes(from.dtype),
      target.buffer,
      to.offset * elementBytes(to.dtype),
      roundUp(from.bytes, 4),
    );
    source.lastUse = target.lastUse = this.#commands.submission;
    to.storage.version++;
  }

  /** Copies rows of numbers, four to a texel, to the start of a surface's rows. */
  copyToTexture(from: Tensor, to: PooledTexture, { start, row, rows, texels, y = 0 }: TextureRows): void {
    if (rows * texels === 0) return;
    const { entry } = from.storage;
    const bytes = elementBytes(from.dtype);
    this.#commands.encoder().copyBufferToTexture(
      { buffer: entry.buffer, offset: (from.offset + start) * bytes, bytesPerRow: row * bytes },
      { texture: to.texture, origin: [0, y] },
      [texels, rows],
    );
    entry.lastUse = this.#commands.submission;
  }

  /** Ends the recorded commands and submits them. */
  flush(): void {
    if (!this.#commands.submit()) return;
    // Buffers of sizes that do not come again would pile up.
    this.pool.trim(this.pool.peakBytes + Math.max(SPARE, this.pool.peakBytes / 8));
  }

  /** Submits what is recorded and waits for the device. @throws {Error} What it reported since the last wait. */
  async sync(): Promise<void> {
    this.#faults.throwIfLost("wait");
    const staging = this.#readBack.take(4);
    this.#commands.encoder().clearBuffer(staging.buffer);
    await this.#back(staging, 0, "wait");
  }

  /**
   * Reads the numbers of a tensor back. The copy is submitted when the caller's task yields, so that tensors read one after
   * another come back together.
   *
   * @throws {Error} What the device reported since the last wait.
   */
  async read(tensor: Tensor): Promise<TensorData> {
    this.#faults.throwIfLost("read a tensor");
    const { dtype, bytes, offset } = tensor;
    const words = roundUp(bytes, 4);
    const { entry } = tensor.storage;
    const staging = this.#readBack.take(words);
    if (bytes > 0) {
      const start = offset * elementBytes(dtype);
      this.#commands.encoder().copyBufferToBuffer(entry.buffer, start, staging.buffer, 0, words);
      entry.lastUse = this.#commands.submission;
    }
    await null;
    const numbers = await this.#back(staging, bytes, "read a tensor");
    return typedArrayOf(numbers, dtype);
  }

  /** Submits what is recorded, and brings back what it leaves in a buffer. */
  async #back(staging: Staging, bytes: number, doing: string): Promise<ArrayBuffer> {
    this.flush();
    try {
      const numbers = await this.#readBack.read(staging, bytes);
      await this.#faults.settle();
      return numbers;
    } catch (error) {
      await this.#faults.throwIfLosing(doing);
      await this.#faults.settle();
      throw error;
    }
  }

  /**
   * Runs `fn` and disposes the tensors made meanwhile, but for those in its result: a tensor, an array, a map or
   * a plain object of tensors. What `fn` recorded on the tape and did not differentiate is dropped. The same
   * holds when `fn` throws.
   *
   * @throws {TypeError} If the result is a promise: awaiting goes outside.
   * @example
   * ```ts
   * import { gelu, requestGpu, sum } from "../mod.ts";
   *
   * const gpu = await requestGpu();
   * const x = gpu.tensor([1, 2]);
   * const loss = gpu.scope(() => sum(gelu(x))); // what gelu returned is disposed
   * console.log(await loss.read()); // 2.795845
   * gpu.destroy();
   * ```
   */
  scope<T>(fn: () => T): T {
    return this.#scopes.run(this.tape, fn);
  }

  /** Takes a tensor out of the scopes it was made in: it lives until it is disposed. Returns it. */
  keep(tensor: Tensor): Tensor {
    this.#scopes.keep(tensor);
    return tensor;
  }

  /** Puts a new tensor under the current scope. The tensor's constructor calls it. */
  adopt(tensor: Tensor): void {
    this.#scopes.adopt(tensor);
  }

  /** Submits what is recorded and gives the memory back that no tensor has. */
  trim(): void {
    this.flush();
    this.pool.trim();
    this.textures.trim();
  }

  /** Gives the device and all its memory back. */
  destroy(): void {
    this.device.destroy();
  }

  #checkNew(shape: readonly number[], dtype: DType): void {
    this.#faults.throwIfLost("make a tensor");
    checkShape(shape);
    if (dtype === "f16" && !this.half) {
      throw new TypeError(`Cannot make a tensor of f16 as the adapter has no shader-f16: ${this.name}`);
    }
  }
}

/** A tensor's shape as messages print it, with its type where it is not f32. */
const showTensor = ({ shape, dtype }: Tensor) => showShape(shape) + (dtype === "f32" ? "" : ` of ${dtype}`);

function checkShape(shape: readonly number[]): void {
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new RangeError(`Cannot make a tensor as its extents must be whole numbers: ${showShape(shape)}`);
  }
}

/**
 * Asks for an adapter and its device, with the adapter's own limits.
 *
 * @throws {Error} If there is no adapter; the message says what to install.
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * console.log(gpu.name, await gpu.tensor([1, 2, 3]).read()); // the adapter, [1, 2, 3]
 * gpu.destroy();
 * ```
 */
export async function requestGpu(options: GpuOptions = {}): Promise<Gpu> {
  const { adapter, device } = await requestDevice(options);
  return new Gpu(adapter, device, options);
}
