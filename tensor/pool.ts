import { roundUp } from "./align.ts";
import { BufferUsage } from "./flags.ts";

/** Bytes of unused buffers kept beyond the peak in use; an eighth of the peak is kept where that is more. */
export const SPARE = 1 << 27;

/** A device buffer that {@linkcode BufferPool} lends out. */
export interface PooledBuffer {
  /** Unique number within the pool; part of bind-group keys. */
  readonly id: number;
  /** The WebGPU buffer, of `bytes` bytes. */
  readonly buffer: GPUBuffer;
  /** Capacity in bytes, a size class of the pool. */
  readonly bytes: number;
  /** Submission in which a command last named the buffer. */
  lastUse: number;
}

/**
 * Rounds a size up to a size class of a pool: a multiple of `unit` (256 bytes unless given) with at most three significant
 * bits, so that similar sizes share buffers at a cost of at most 25 %.
 */
export function sizeClass(size: number, unit = 256): number {
  const least = Math.max(unit, roundUp(size, unit));
  return roundUp(least, Math.max(unit, 2 ** (Math.floor(Math.log2(least)) - 2)));
}

/** Storage buffers by size class, reused, with counts of those in use. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #guard: (label: string) => () => void;
  /** By size class, oldest last, so that each step takes the same buffers in the same order as the step before. */
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #onDestroy: (id: number) => void;
  #nextId = 1;
  #live = 0;
  #liveBytes = 0;
  #allBytes = 0;
  #peakBytes = 0;

  /**
   * Starts empty.
   *
   * @param device Device that makes the buffers.
   * @param guard Opens an error scope under a label and returns the function that closes it.
   * @param onDestroy Called with the id of a buffer that is destroyed.
   */
  constructor(
    device: GPUDevice,
    guard: (label: string) => () => void,
    onDestroy: (id: number) => void,
  ) {
    this.#device = device;
    this.#guard = guard;
    this.#onDestroy = onDestroy;
  }

  /** Buffers lent out now. */
  get live(): number {
    return this.#live;
  }

  /** Bytes lent out now. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Largest number of bytes ever lent out at a time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Bytes of all buffers that exist, lent out or not. */
  get allBytes(): number {
    return this.#allBytes;
  }

  /**
   * Lends a buffer of at least `bytes` bytes.
   *
   * @param bytes Size in bytes.
   * @param idleBefore Submission since which no command may have used the buffer, so that the host may write it before the
   * commands being recorded run.
   * @throws {RangeError} If the adapter has no buffers of that size.
   */
  take(bytes: number, idleBefore = Infinity): PooledBuffer {
    const size = Math.min(sizeClass(bytes), Math.floor(this.#device.limits.maxBufferSize / 4) * 4);
    if (bytes > size) {
      throw new RangeError(
        `Cannot allocate a tensor as a buffer of this adapter holds at most ${size} bytes: ${bytes} are needed`,
      );
    }
    const free = this.#free.get(size);
    const at = free?.findLastIndex((entry) => entry.lastUse < idleBefore) ?? -1;
    let entry = free && at >= 0 ? free.splice(at, 1)[0] : undefined;
    if (!entry) {
      const close = this.#guard(`allocate ${size} bytes`);
      const buffer = this.#device.createBuffer({
        label: `pool ${this.#nextId}`,
        size,
        usage: BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST,
      });
      close();
      entry = { id: this.#nextId++, buffer, bytes: size, lastUse: -1 };
      this.#allBytes += size;
    }
    this.#live++;
    this.#liveBytes += size;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return entry;
  }

  /** Takes a lent buffer back. */
  give(entry: PooledBuffer): void {
    this.#live--;
    this.#liveBytes -= entry.bytes;
    const free = this.#free.get(entry.bytes);
    if (!free) return void this.#free.set(entry.bytes, [entry]);
    const after = free.findIndex(({ id }) => id < entry.id);
    free.splice(after < 0 ? free.length : after, 0, entry);
  }

  /**
   * Destroys buffers that are not lent out, least recently used first. Call it between submissions.
   *
   * @param keepBytes Stops once all buffers together have at most this many bytes; 0 unless given.
   */
  trim(keepBytes = 0): void {
    if (this.#allBytes <= keepBytes) return;
    const idle = [...this.#free.values()].flat().sort((a, b) => a.lastUse - b.lastUse);
    const gone = new Set<PooledBuffer>();
    for (const entry of idle) {
      if (this.#allBytes <= keepBytes) break;
      gone.add(entry);
      entry.buffer.destroy();
      this.#allBytes -= entry.bytes;
      this.#onDestroy(entry.id);
    }
    for (const [size, entries] of this.#free) {
      this.#free.set(
        size,
        entries.filter((entry) => !gone.has(entry)),
      );
    }
  }
}
