import { UtteranceCache } from "./utterance_cache.ts";
import type { DecodeJob } from "./decode_worker.ts";
import type { TimedUtterance } from "../corpus/durations.ts";
import { WorkerPool } from "../worker_pool.ts";

/** How clips are decoded and kept. */
export interface LoaderOptions {
  /** Hz; 16,000 unless given. */
  readonly sampleRate?: number;
  /** Memory for decoded clips, in bytes; 512 MiB unless given. */
  readonly cacheBytes?: number;
  /** Threads that decode; half of the processors, 4 at most, unless given. */
  readonly threads?: number;
}

/** Decodes clips in threads of its own, and keeps them. */
export class UtteranceLoader {
  readonly #rate: number;
  readonly #cacheBytes: number;
  readonly #cache: UtteranceCache;
  readonly #pool: WorkerPool<DecodeJob, Float32Array<ArrayBuffer>>;

  /** A loader; its threads start when there is work for them. @param options How. */
  constructor(options: LoaderOptions) {
    const { sampleRate = 16_000, cacheBytes = 2 ** 29 } = options;
    this.#rate = sampleRate;
    this.#cacheBytes = cacheBytes;
    this.#cache = new UtteranceCache(cacheBytes);
    const threads = options.threads ?? Math.max(1, Math.min(4, navigator.hardwareConcurrency >> 1));
    this.#pool = new WorkerPool(new URL("./decode_worker.ts", import.meta.url), threads);
  }

  /** Bytes that are kept of so many seconds of clips of 16 bits, all different. */
  keptBytes(seconds: number): number {
    return Math.min(this.#cacheBytes, 2 * this.#rate * seconds);
  }

  /**
   * A clip at a speed.
   *
   * @returns [S], not to be changed: the cache may hold the same array.
   * @throws {SyntaxError | RangeError | Error} If the file is missing or broken, or has not the length it should have;
   * one line that names it.
   */
  async load({ audio: path, seconds }: TimedUtterance, speed: number): Promise<Float32Array<ArrayBuffer>> {
    const key = `${speed} ${path}`;
    const kept = this.#cache.get(key);
    if (kept) return kept;
    const samples = await this.#pool.run({ path, speed, sampleRate: this.#rate });
    const found = samples.length * speed / this.#rate;
    // The budget of a batch rests on it. Headers of Opus and rounded lengths are off by less.
    if (Math.abs(found - seconds) > 0.05 + 0.01 * seconds) {
      const rule = `it must last ${seconds.toFixed(2)} s, as its corpus or its header says`;
      throw new RangeError(`Cannot use ${path} as ${rule}: it has ${found.toFixed(2)} s`);
    }
    this.#cache.add(key, samples);
    return samples;
  }

  /** Ends the threads; clips that are being decoded fail. */
  close(): void {
    this.#pool.close();
  }
}
