import { roundUp } from "./align.ts";
import { sizeClass } from "./pool.ts";

/** A buffer that the host maps to read. */
export interface Staging {
  /** The WebGPU buffer. */
  readonly buffer: GPUBuffer;
  /** Its size. */
  readonly bytes: number;
  /** Whether it may be read before the promise of its mapping is kept. */
  readonly early: boolean;
}

/** Bytes of the buffers that are kept for reads to come. */
const KEEP = 2 ** 20;

/**
 * Whether a buffer may be read while the promise of its mapping is pending: Deno waits for the device in `mapAsync`
 * itself and then sleeps 10 ms before it says so. The process would end if the buffer had never been mapped; other
 * versions than these may end it anyway.
 */
const EARLY = /^2\.9\./.test(
  (globalThis as { Deno?: { version?: { deno: string } } }).Deno?.version?.deno ?? "",
);

/** Buffers for reading back, reused. */
export class ReadBack {
  readonly #device: GPUDevice;
  readonly #guard: (label: string) => () => void;
  #free: Staging[] = [];
  #freeBytes = 0;

  /**
   * None as yet.
   *
   * @param device Device that makes the buffers.
   * @param guard Opens an error scope under a label and returns the function that closes it.
   */
  constructor(device: GPUDevice, guard: (label: string) => () => void) {
    this.#device = device;
    this.#guard = guard;
  }

  /** Lends a buffer of at least `bytes` bytes, which {@linkcode ReadBack.read} takes back. */
  take(bytes: number): Staging {
    const kept = bytes <= KEEP;
    const size = kept ? sizeClass(bytes) : roundUp(bytes, 4);
    const at = this.#free.findIndex((staging) => staging.bytes === size);
    if (at >= 0) {
      this.#freeBytes -= size;
      return this.#free.splice(at, 1)[0]!;
    }
    const close = this.#guard("read a tensor");
    const usage = GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST;
    const mappedAtCreation = EARLY && kept;
    const buffer = this.#device.createBuffer({ label: "read-back", size, usage, mappedAtCreation });
    const early = mappedAtCreation && attempt(() => buffer.unmap()) !== null;
    close();
    return { buffer, bytes: size, early };
  }

  /** The first `bytes` bytes of a lent buffer as what has been submitted leaves them. */
  async read(staging: Staging, bytes: number): Promise<ArrayBuffer> {
    const { buffer } = staging;
    try {
      const mapping = buffer.mapAsync(GPUMapMode.READ);
      const numbers = staging.early ? attempt(() => buffer.getMappedRange().slice(0, bytes)) : null;
      if (numbers) {
        mapping.then(() => this.#give(staging)).catch(() => buffer.destroy());
        return numbers;
      }
      await mapping;
      const copy = buffer.getMappedRange().slice(0, bytes);
      this.#give(staging);
      return copy;
    } catch (error) {
      buffer.destroy();
      throw error;
    }
  }

  #give(staging: Staging): void {
    if (this.#freeBytes + staging.bytes > KEEP) return staging.buffer.destroy();
    staging.buffer.unmap();
    this.#free.push(staging);
    this.#freeBytes += staging.bytes;
  }
}

/** What `fn` returns, or null if it throws, since the device is lost or not yet done. */
function attempt<T>(fn: () => T): T | null {
  try {
    return fn();
  } catch {
    return null;
  }
}
