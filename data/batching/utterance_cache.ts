/**
 * A cache of decoded utterances, up to a number of bytes. Nothing is evicted: an epoch visits every utterance once, so
 * that evicting the least recently used one would evict the one that is needed next.
 */
export class UtteranceCache {
  readonly #utterances = new Map<string, Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>>();
  #left: number;

  /** Creates an empty cache. @param bytes Its capacity. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Number of utterances in the cache. */
  get size(): number {
    return this.#utterances.size;
  }

  /**
   * Looks up an utterance.
   *
   * @returns [S], identical to the samples that were added, or undefined.
   */
  get(key: string): Float32Array<ArrayBuffer> | undefined {
    const kept = this.#utterances.get(key);
    if (!(kept instanceof Int16Array)) return kept;
    const samples = new Float32Array(kept);
    for (let i = 0; i < samples.length; i++) samples[i]! /= 32768;
    return samples;
  }

  /**
   * Adds an utterance if there is room, with two bytes per sample if that is lossless, as for audio of 16 bits, else four.
   *
   * @param samples [S], not to be modified afterwards.
   */
  add(key: string, samples: Float32Array<ArrayBuffer>): void {
    const half = samples.length * 2;
    if (this.#utterances.has(key) || half > this.#left) return;
    const kept = toInt16Exact(samples) ?? samples;
    if (kept.byteLength > this.#left) return;
    this.#left -= kept.byteLength;
    this.#utterances.set(key, kept);
  }
}

/** Samples as integers of 16 bits; null if that is not exact. */
function toInt16Exact(samples: Float32Array): Int16Array<ArrayBuffer> | null {
  const integers = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]! * 32768;
    integers[i] = value;
    // Negative zero would lose its sign.
    if (!Object.is(integers[i], value)) return null;
  }
  return integers;
}
