import { Gpu } from "./gpu.ts";

/** Bytes of buffers and textures that a device would hold. */
export interface DeviceMemory {
  /** Bytes now. */
  readonly bytes: number;
  /** Largest number of bytes so far. */
  readonly peakBytes: number;
}

/** Something on a device that takes memory until it is destroyed. */
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

/** A buffer whose numbers are all 0 whenever they are read. */
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
 * A device that plans like another and computes nothing: what runs on it allocates, binds and records as it would there,
 * and every number that is read is 0. It tells how much memory a run will take before it is begun.
 *
 * @param like Device whose limits and kernels are to be planned with.
 * @returns The device, and the memory that it would hold: tensors, textures, parameters and read-backs.
 * @example
 * ```ts
 * import { fakeGpu, gelu, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const { gpu: dry, memory } = fakeGpu(gpu);
 * const before = memory.bytes;
 * dry.scope(() => gelu(dry.zeros([1024, 1024])));
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
  const { limits, software } = like;
  const gpu = new Gpu(like.adapter, device as unknown as GPUDevice, { limits, software });
  return { gpu, memory };
}
