// Loads utterances: decodes them in worker threads and caches the samples.
import { changeSpeed } from "./augment.ts";
import { UtteranceCache } from "./utterance_cache.ts";
import type { DecodeJob } from "./decode_worker.ts";
import type { TimedUtterance } from "../corpus/durations.ts";
import { placeName } from "../corpus/utterance.ts";
import { WorkerPool } from "../worker_pool.ts";

/** Options of {@linkcode UtteranceLoader}. */
export interface LoaderOptions {
  /** Sample rate in Hz; default 16,000. */
  readonly sampleRate?: number;
  /** Capacity of the cache in bytes; default 512 MiB. */
  readonly cacheBytes?: number;
  /** Number of decoding threads; default half of the CPU cores, at most 4. */
  readonly threads?: number;
}

/** Decodes utterances in worker threads and caches them. */
export class UtteranceLoader {
  readonly #rate: number;
  readonly #cacheBytes: number;
  readonly #cache: UtteranceCache;
  readonly #pool: WorkerPool<DecodeJob, Float32Array<ArrayBuffer>>;

  /** Creates a loader; its threads start on first use. @param options Sample rate, cache and threads. */
  constructor(options: LoaderOptions) {
    const { sampleRate = 16_000, cacheBytes = 2 ** 29 } = options;
    this.#rate = sampleRate;
    this.#cacheBytes = cacheBytes;
    this.#cache = new UtteranceCache(cacheBytes);
    const threads = options.threads ?? Math.max(1, Math.min(4, navigator.hardwareConcurrency >> 1));
    this.#pool = new WorkerPool(new URL("./decode_worker.ts", import.meta.url), threads);
  }

  /** Bytes in the cache after so many seconds of distinct audio of 16 bits. */
  keptBytes(seconds: number): number {
    return Math.min(this.#cacheBytes, 2 * this.#rate * seconds);
  }

  /**
   * Loads an utterance and changes its speed.
   *
   * @returns [S], not to be modified: the cache may hold the same array.
   * @throws {SyntaxError | RangeError | Error} If the file is missing or broken, or its duration is not the stated one; one
   * line that names the path.
   */
  async load(utterance: TimedUtterance, speed: number): Promise<Float32Array<ArrayBuffer>> {
    const { seconds } = utterance;
    const name = placeName(utterance);
    const key = `${speed} ${name}`;
    const kept = this.#cache.get(key);
    if (kept) return kept;
    const samples = utterance.samples
      ? await changeSpeed(utterance.samples, speed, this.#rate)
      : await this.#pool.run({ place: utterance, speed, sampleRate: this.#rate });
    const found = samples.length * speed / this.#rate;
    // Batches are planned by it. Headers of Opus, rounded durations, and those of MP3 that count padding are off by less.
    if (Math.abs(found - seconds) > 0.12 + 0.01 * seconds) {
      const rule = `it must last ${seconds.toFixed(2)} s, as its corpus or its header states`;
      throw new RangeError(`Cannot use ${name} as ${rule}: it has ${found.toFixed(2)} s`);
    }
    if (samples !== utterance.samples) this.#cache.add(key, samples);
    return samples;
  }

  /** Stops the threads; utterances that are being decoded fail. */
  close(): void {
    this.#pool.close();
  }
}
