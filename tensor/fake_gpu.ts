import { Gpu } from "./gpu.ts";

/** Memory of buffers and textures that a device would hold. */
export interface DeviceMemory {
  /** Bytes now. */
  readonly bytes: number;
  /** Largest number of bytes at a time so far. */
  readonly peakBytes: number;
}

/** A buffer or texture, whose memory counts until it is destroyed. */
class Held {
  readonly #count: (bytes: number) => void;
  #bytes: number;

  constructor(bytes: number, count: (bytes: number) => void) {
    this.#bytes = bytes;
    this.#count = count;
    count(bytes);
  }

  destroy(): void {
    this.#count(-this.#bytes);
    this.#bytes = 0;
  }
}

/** A buffer that reads as zeros. */
class FakeBuffer extends Held {
  readonly #size: number;

  constructor(size: number, count: (bytes: number) => void) {
    super(size, count);
    this.#size = size;
  }

  mapAsync(): Promise<void> {
    return Promise.resolve();
  }

  getMappedRange(): ArrayBuffer {
    return new ArrayBuffer(this.#size);
  }

  unmap(): void {}
}

class FakeTexture extends Held {
  createView(): object {
    return {};
  }
}

const nothing = () => {};

/**
 * A fake (meta) device, which plans memory without computing: operations allocate, bind and record as on the real device, and
 * all tensors read as zeros. It estimates the memory of a run before the run starts.
 *
 * @param like Device whose limits and choice of kernels it has.
 * @returns The fake device, and the memory that a real one would hold: tensors, textures, uniforms and read-back buffers.
 * @example
 * ```ts
 * import { gelu, requestGpu } from "../mod.ts";
 * import { fakeGpu } from "./fake_gpu.ts";
 *
 * using gpu = await requestGpu();
 * const { gpu: fake, memory } = fakeGpu(gpu);
 * const before = memory.bytes;
 * fake.scope(() => gelu(fake.zeros([1024, 1024])));
 * console.log(memory.peakBytes - before); // 8388608
 * ```
 */
export function fakeGpu(like: Gpu): { readonly gpu: Gpu; readonly memory: DeviceMemory } {
  const memory = { bytes: 0, peakBytes: 0 };
  const count = (bytes: number) => {
    memory.bytes += bytes;
    memory.peakBytes = Math.max(memory.peakBytes, memory.bytes);
  };
  const pass = { setPipeline: nothing, setBindGroup: nothing, dispatchWorkgroups: nothing, end: nothing };
  const encoder = {
    beginComputePass: () => pass,
    clearBuffer: nothing,
    copyBufferToBuffer: nothing,
    copyBufferToTexture: nothing,
    finish: () => ({}),
  };
  const made = () => ({});
  const device = {
    limits: like.device.limits,
    features: like.device.features,
    queue: { writeBuffer: nothing, submit: nothing },
    lost: new Promise<never>(nothing),
    addEventListener: nothing,
    pushErrorScope: nothing,
    popErrorScope: () => Promise.resolve(null),
    createBuffer: ({ size }: GPUBufferDescriptor) => new FakeBuffer(size, count),
    createTexture: ({ size, format }: GPUTextureDescriptor) => {
      const [width, height] = size as [number, number];
      return new FakeTexture(width * height * (format === "rgba16float" ? 8 : 16), count);
    },
    createShaderModule: () => ({ getCompilationInfo: () => Promise.resolve({ messages: [] }) }),
    createBindGroupLayout: made,
    createPipelineLayout: made,
    createComputePipeline: made,
    createBindGroup: made,
    createCommandEncoder: () => encoder,
    destroy: nothing,
  };
  const { adapter, limits, software, subgroups, shuffles } = like;
  const line = subgroups || shuffles ? "" : null;
  const gpu = new Gpu(adapter, device as unknown as GPUDevice, { limits, software, subgroups }, line);
  return { gpu, memory };
}
