import { requestDevice } from "./adapter.ts";
import { inEights, isSoftware, limitsOf, nameOfAdapter, wantsSubgroups } from "./adapter_info.ts";
import { BindGroups } from "./bind_groups.ts";
import { Commands } from "./commands.ts";
import { clearTensor, copyRowsToTexture, copyTensor } from "./copies.ts";
import { DeviceErrors } from "./device_errors.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { GpuLimits, GpuOptions } from "./gpu_options.ts";
import type { Dispatch, TextureRows } from "./dispatch.ts";
import { dtypeOf, type HostArray, inWords } from "./host_data.ts";
import type { Kernel } from "./kernel.ts";
import { PipelineCache } from "./pipelines.ts";
import { BufferPool, SPARE } from "./pool.ts";
import { Profiler } from "./profiler.ts";
import { ReadBack } from "./read_back.ts";
import { Scopes } from "./scopes.ts";
import { Tape } from "./tape.ts";
import { type DType, elementBytes, type TensorData } from "./dtype.ts";
import { showShape, sizeOf } from "./shape.ts";
import { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import { type PooledTexture, TexturePool } from "./texture_pool.ts";
import { UniformRing } from "./uniforms.ts";

/** Bytes of uploads after which the queue is made to copy them. */
const MAX_UPLOADED = 2 ** 22;

/**
 * A WebGPU device with its memory, compiled shaders, tape, and recorded commands. {@linkcode requestGpu} makes one.
 *
 * Operations record commands, which run when they are submitted: at the latest when a tensor is read. An error of the device
 * is thrown by the next call that waits for it: {@linkcode Gpu.read} or {@linkcode Gpu.sync}.
 */
export class Gpu {
  /** The adapter that was chosen. */
  readonly adapter: GPUAdapter;
  /** The WebGPU device. */
  readonly device: GPUDevice;
  /** Name of the adapter, as its driver gives it. */
  readonly name: string;
  /** Whether the adapter computes on the CPU, which other kernels suit. */
  readonly software: boolean;
  /** Limits that operations plan with. */
  readonly limits: GpuLimits;
  /** Whether reductions use subgroups, which round their sums differently. */
  readonly subgroups: boolean;
  /** Whether kernels of software adapters may share loads in a subgroup of eight, which changes no result. */
  readonly shuffles: boolean;
  /** Buffers of the tensors.
   * @internal */
  readonly pool: BufferPool;
  /** Textures that kernels read operands from.
   * @internal */
  readonly textures: TexturePool;
  /** Recorded operations. */
  readonly tape: Tape = new Tape();
  /** Compiled shaders.
   * @internal */
  readonly pipelines: PipelineCache;
  /** Time by kernel, with the option `profile`; null without, or if the adapter has no timestamp queries. */
  readonly profiler: Profiler | null;
  readonly #errors: DeviceErrors;
  readonly #commands: Commands;
  readonly #dispatcher: Dispatcher;
  readonly #readBack: ReadBack;
  readonly #scopes = new Scopes();
  #uploaded = 0;

  /**
   * Takes a device over. {@linkcode requestGpu} is the usual way to make one.
   *
   * @param adapter Adapter of the device.
   * @param device Device that nothing else uses.
   * @param options As for {@linkcode requestGpu}.
   * @param subgroups Line that enables subgroups in shaders; null if the device has none.
   */
  constructor(adapter: GPUAdapter, device: GPUDevice, options: GpuOptions, subgroups: string | null = null) {
    this.adapter = adapter;
    this.device = device;
    this.name = nameOfAdapter(adapter);
    this.software = options.software ?? isSoftware(adapter);
    this.limits = limitsOf(device, options.limits);
    this.subgroups = subgroups !== null && wantsSubgroups(adapter, options);
    this.shuffles = subgroups !== null && this.software && inEights(adapter);
    const flush = () => this.flush();
    const forget = (kind: string) => (id: number) => groups.forget(`${kind}${id}`);
    const errors = this.#errors = new DeviceErrors(device);
    const { guard } = errors;
    this.pool = new BufferPool(device, guard, forget("b"));
    this.textures = new TexturePool(device, guard, forget("t"), flush);
    const pipelines = this.pipelines = new PipelineCache(device, errors, subgroups, this.subgroups);
    const uniforms = new UniformRing(device);
    const { bindingBytes, workgroups } = this.limits;
    const groups = new BindGroups({ owner: this, device, bindingBytes, uniforms: uniforms.buffer, guard });
    const timed = options.profile && device.features.has("timestamp-query");
    this.profiler = timed ? new Profiler(device) : null;
    const commands = this.#commands = new Commands({ device, errors, uniforms, profiler: this.profiler });
    this.#dispatcher = new Dispatcher({ commands, errors, groups, pipelines, uniforms, workgroups, flush });
    this.#readBack = new ReadBack({ device, commands, errors, flush });
  }

  /** Whether tensors may be f16: the adapter has the feature `shader-f16`. */
  get half(): boolean {
    return this.device.features.has("shader-f16");
  }

  /**
   * A tensor without defined content.
   *
   * @param shape Extents, outermost first; `[]` is a scalar.
   * @param dtype Element type; f32 unless given.
   * @throws {RangeError} If an extent is not a whole number, or the tensor exceeds the adapter's largest buffer.
   * @throws {TypeError} If the type is f16 and the adapter has no `shader-f16`.
   */
  empty(shape: readonly number[], dtype: DType = "f32"): Tensor {
    this.#checkNew(shape, dtype);
    const bytes = sizeOf(shape) * elementBytes(dtype);
    return new Tensor(this, new Storage(this.pool.take(bytes)), shape, dtype);
  }

  /** A tensor of zeros; parameters and errors as {@linkcode Gpu.empty}. */
  zeros(shape: readonly number[], dtype: DType = "f32"): Tensor {
    const tensor = this.empty(shape, dtype);
    clearTensor(this.#commands, tensor);
    return tensor;
  }

  /**
   * A tensor with the given elements.
   *
   * @param data Elements in row-major order; an `Int32Array` makes an i32 tensor, a `Float16Array` an f16 one, all else f32.
   * @param shape Extents; one dimension unless given.
   * @throws {TypeError} If the shape's size is not the length of the data, or they are f16 and the adapter has no `shader-f16`.
   * @throws {RangeError} If an extent is not a whole number.
   * @example
   * ```ts
   * import { requestGpu } from "../mod.ts";
   *
   * using gpu = await requestGpu();
   * const x = gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
   * console.log(x.shape, x.dtype); // [2, 3] "f32"
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
        } for ${data.length} elements`,
      );
    }
    const storage = new Storage(this.pool.take(typed.byteLength, this.#commands.submission));
    const tensor = new Tensor(this, storage, shape, dtype);
    if (typed.length > 0) {
      const close = this.#errors.guard("upload a tensor");
      this.device.queue.writeBuffer(storage.entry.buffer, 0, inWords(typed));
      this.#afterUpload(typed.byteLength);
      close();
    }
    return tensor;
  }

  /** The copies that the queue makes of uploaded data are freed once they are submitted. */
  #afterUpload(bytes: number): void {
    this.#uploaded += bytes;
    if (this.#uploaded < MAX_UPLOADED) return;
    this.#uploaded = 0;
    this.device.queue.submit([]);
  }

  /**
   * Records one dispatch of a shader; it runs with the next submission.
   *
   * @throws {TypeError} If a binding or a field of `Params` is missing, unknown or of the wrong kind, or if a
   * tensor is of another device.
   * @throws {RangeError} If a binding or the number of workgroups exceeds the adapter's limit.
   */
  run(kernel: Kernel, dispatch: Dispatch): void {
    this.#dispatcher.run(kernel, dispatch);
  }

  /** Copies all elements of `from` to `to`; either may be a view. @throws {TypeError} If sizes or types differ. */
  copy(from: Tensor, to: Tensor): void {
    copyTensor(this.#commands, from, to);
  }

  /** Copies rows of a tensor, four elements to a texel, to the start of a texture's rows.
   * @internal */
  copyToTexture(from: Tensor, to: PooledTexture, rows: TextureRows): void {
    copyRowsToTexture(this.#commands, from, to, rows);
  }

  /** Submits the recorded commands without waiting. */
  flush(): void {
    if (!this.#commands.submit()) return;
    // Buffers of sizes that do not come again would pile up.
    this.pool.trim(this.pool.peakBytes + Math.max(SPARE, this.pool.peakBytes / 8));
  }

  /** Submits the recorded commands and waits for the device. @throws {Error} What it reported since the last wait. */
  async sync(): Promise<void> {
    await this.#readBack.sync();
  }

  /**
   * Reads the elements of a tensor back. The copy is submitted when the caller's task yields, so that reads that follow each
   * other share a submission.
   *
   * @returns The elements in row-major order; those of f16 as f32.
   * @throws {Error} What the device reported since the last wait.
   */
  async read(tensor: Tensor): Promise<TensorData> {
    return await this.#readBack.read(tensor);
  }

  /**
   * Runs `fn` and disposes the tensors made meanwhile, except those in its result: a tensor, an array, a map or
   * a plain object of tensors. What `fn` recorded on the tape and did not differentiate is dropped. The same
   * holds when `fn` throws.
   *
   * @throws {TypeError} If the result is a promise: await outside the scope.
   * @example
   * ```ts
   * import { gelu, requestGpu, sum } from "../mod.ts";
   *
   * using gpu = await requestGpu();
   * const x = gpu.tensor([1, 2]);
   * const loss = gpu.scope(() => sum(gelu(x))); // what gelu returned is disposed
   * console.log(await loss.read()); // 2.795845
   * ```
   */
  scope<T>(fn: () => T): T {
    return this.#scopes.run(this.tape, fn);
  }

  /** Takes a tensor out of the scopes it was made in, so that it lives until it is disposed. Returns it. */
  keep(tensor: Tensor): Tensor {
    this.#scopes.keep(tensor);
    return tensor;
  }

  /** Puts a new tensor under the current scope. The tensor's constructor calls it. */
  adopt(tensor: Tensor): void {
    this.#scopes.adopt(tensor);
  }

  /** Submits the recorded commands and frees the memory that no tensor uses. */
  trim(): void {
    this.flush();
    this.pool.trim();
    this.textures.trim();
  }

  /** Frees the device and all its memory. Later calls that need the device throw; calling it again does nothing. */
  destroy(): void {
    if (this.#errors.destroyed) return;
    this.pool.trim(); // Deno frees the buffers of a destroyed device late.
    this.#errors.destroyed = true;
    this.device.destroy();
  }

  /** Destroys the device at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.destroy();
  }

  #checkNew(shape: readonly number[], dtype: DType): void {
    this.#errors.throwIfLost("make a tensor");
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      throw new RangeError(`Cannot make a tensor as its extents must be whole numbers: ${showShape(shape)}`);
    }
    if (dtype === "f16" && !this.half) {
      throw new TypeError(`Cannot make a tensor of f16 as the adapter has no shader-f16: ${this.name}`);
    }
  }
}

/**
 * Requests an adapter and a device with the adapter's own limits.
 *
 * @throws {Error} If there is no adapter; the message names what to install.
 * @example
 * ```ts
 * import { requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * console.log(gpu.name, await gpu.tensor([1, 2, 3]).read()); // the adapter, [1, 2, 3]
 * ```
 */
export async function requestGpu(options: GpuOptions = {}): Promise<Gpu> {
  const { adapter, device, subgroups } = await requestDevice(options);
  return new Gpu(adapter, device, options, subgroups);
}
