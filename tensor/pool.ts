import { roundUp } from "./align.ts";

/** Bytes of unused buffers that are kept beyond the largest number of bytes in use, or an eighth of it where that is more. */
export const SPARE = 1 << 27;

/** A device buffer that {@linkcode BufferPool} lends out. */
export interface PooledBuffer {
  /** Number that no other buffer of the pool has had; part of bind-group keys. */
  readonly id: number;
  /** The WebGPU buffer, of `bytes` bytes. */
  readonly buffer: GPUBuffer;
  /** Capacity in bytes, a size class of the pool. */
  readonly bytes: number;
  /** Submission in which a command last named the buffer. */
  lastUse: number;
}

/**
 * Rounds a size up to a class of a pool: a multiple of `unit`, 256 bytes unless told, with at most three significant
 * bits, so that neighbouring sizes share what is pooled at a cost of at most 25 %.
 */
export function sizeClass(size: number, unit = 256): number {
  const least = Math.max(unit, roundUp(size, unit));
  return roundUp(least, Math.max(unit, 2 ** (Math.floor(Math.log2(least)) - 2)));
}

/** Storage buffers by size class, reused, with a count of those that are lent out. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #guard: (label: string) => () => void;
  /** By size class, oldest last: a step that frees what it took then takes the same as the one before, in the same order. */
  readonly #free = new Map<number, PooledBuffer[]>();
  readonly #onDestroy: (id: number) => void;
  #nextId = 1;
  #live = 0;
  #liveBytes = 0;
  #allBytes = 0;
  #peakBytes = 0;

  /**
   * An empty pool.
   *
   * @param device Device that makes the buffers.
   * @param guard Opens an error scope under a label and returns the function that closes it.
   * @param onDestroy Called with the id of a buffer that leaves the pool for good.
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
   * Lends a buffer of at least `bytes` bytes. With `idleBefore`, only one that no command since that submission
   * has named, which the host may write before the commands still being recorded run.
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
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
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
   * Destroys buffers that are not lent out, those first that were used longest ago. Call it between submissions.
   *
   * @param keepBytes Bytes of all buffers below which no more are destroyed; 0 unless given.
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
