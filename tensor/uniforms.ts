import { BufferUsage } from "./flags.ts";
import type { Kernel } from "./kernel.ts";

/** Capacity in bytes; the commands are submitted when it is full. */
const SIZE = 1 << 18;

/** One uniform buffer that holds the `Params` of every dispatch of a submission, written once. */
export class UniformRing {
  readonly #device: GPUDevice;
  readonly #bytes = new ArrayBuffer(SIZE);
  readonly #view = new DataView(this.#bytes);
  readonly #align: number;
  #used = 0;

  /** The device's copy, bound with a dynamic offset. */
  readonly buffer: GPUBuffer;

  /** @param device Device that reads the uniforms. */
  constructor(device: GPUDevice) {
    this.#device = device;
    this.#align = Math.max(16, device.limits.minUniformBufferOffsetAlignment);
    this.buffer = device.createBuffer({
      label: "params",
      size: SIZE,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
    });
  }

  /** Bytes that a kernel's `Params` take in the binding. */
  static bytesOf(kernel: Kernel): number {
    return Math.ceil(kernel.params.length / 4) * 16;
  }

  /** Whether a kernel's `Params` still fit. */
  fits(kernel: Kernel): boolean {
    return this.#used + UniformRing.bytesOf(kernel) <= SIZE;
  }

  /** Adds a dispatch's `Params` and returns their byte offset. */
  push(kernel: Kernel, values: Record<string, number>): number {
    const at = this.#used;
    kernel.writeParams(this.#view, at, values);
    const end = at + UniformRing.bytesOf(kernel);
    this.#used = Math.ceil(end / this.#align) * this.#align;
    return at;
  }

  /** Uploads what was added and empties the buffer. Call it just before the submission. */
  upload(): void {
    if (this.#used === 0) return;
    const bytes = Math.min(this.#used, SIZE);
    this.#device.queue.writeBuffer(this.buffer, 0, this.#bytes, 0, bytes);
    this.#used = 0;
  }
}
