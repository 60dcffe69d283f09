import { roundUp } from "./align.ts";
import { attempt, mappedOnce, readsEarly } from "./early_read.ts";
import { BufferUsage, MapMode } from "./flags.ts";
import { sizeClass } from "./pool.ts";

/** A buffer that the host maps to read. */
export interface Staging {
  /** The WebGPU buffer. */
  readonly buffer: GPUBuffer;
  /** Its size in bytes. */
  readonly bytes: number;
  /** Whether the buffer was mapped before, which an early read needs. */
  readonly mapped: boolean;
}

/** Bytes of the buffers that are kept for reads to come; larger buffers are used once. */
const KEEP = 2 ** 20;

/**
 * Milliseconds between turns of the event loop in early reads. Without them, a loop of such reads would let no signal or timer
 * through, so that a training could not be interrupted. A turn takes up to 4 ms.
 */
const TURN_EVERY = 250;

/** Early reads whose mappings are outstanding at most: each holds a buffer, and a loop of reads would make ever more. */
const MOST_OUTSTANDING = 512;

/** Buffers that the host maps to read, reused. */
export class StagingBuffers {
  readonly #device: GPUDevice;
  readonly #guard: (label: string) => () => void;
  #free: Staging[] = [];
  #freeBytes = 0;
  /** Whether this device's buffers may be read early; checked at the first read. */
  #early: boolean | null = null;
  /** Time of the last turn of the event loop. */
  #turned = 0;
  /** Early reads whose mappings are outstanding. */
  #outstanding = 0;

  /**
   * Starts without buffers.
   *
   * @param device Device that makes the buffers.
   * @param guard Opens an error scope under a label and returns the function that closes it.
   */
  constructor(device: GPUDevice, guard: (label: string) => () => void) {
    this.#device = device;
    this.#guard = guard;
  }

  /**
   * Lends a buffer of at least `bytes` bytes, which {@linkcode StagingBuffers.read} takes back.
   *
   * @throws {DeviceError} If there is no memory for a buffer that is mapped.
   */
  take(bytes: number): Staging {
    this.#early ??= readsEarly(this.#device);
    const kept = bytes <= KEEP;
    const size = kept ? sizeClass(bytes) : roundUp(bytes, 4);
    const at = this.#free.findIndex((staging) => staging.bytes === size);
    if (at >= 0) {
      this.#freeBytes -= size;
      return this.#free.splice(at, 1)[0]!;
    }
    const close = this.#guard("read a tensor");
    try {
      const made = this.#early && kept ? mappedOnce(this.#device, size) : this.#make(size);
      return { ...made, bytes: size };
    } finally {
      close();
    }
  }

  #make(size: number): { buffer: GPUBuffer; mapped: boolean } {
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    return { buffer: this.#device.createBuffer({ label: "read-back", size, usage }), mapped: false };
  }

  /**
   * The first `bytes` bytes of a lent buffer as what has been submitted leaves them.
   *
   * @throws {Error} If the buffer cannot be mapped, as on a lost device.
   */
  async read(staging: Staging, bytes: number): Promise<ArrayBuffer> {
    const { buffer } = staging;
    try {
      const mapping = buffer.mapAsync(MapMode.READ);
      const early = staging.mapped ? attempt(() => buffer.getMappedRange().slice(0, bytes)) : null;
      if (early) {
        this.#outstanding++;
        const given = mapping.then(() => this.#give(staging)).catch(() => buffer.destroy())
          .finally(() => this.#outstanding--);
        if (this.#outstanding >= MOST_OUTSTANDING) await given;
        else if (performance.now() - this.#turned >= TURN_EVERY) {
          await new Promise((resolve) => setTimeout(resolve));
          this.#turned = performance.now();
        }
        return early;
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
