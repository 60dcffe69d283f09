/**
 * Decoded clips in memory, up to a number of bytes. What came first stays: an epoch visits every clip once, so that
 * giving up what was used longest ago would give up just what comes next.
 */
export class UtteranceCache {
  readonly #clips = new Map<string, Int16Array<ArrayBuffer> | Float32Array<ArrayBuffer>>();
  #left: number;

  /** An empty cache. @param bytes Its size. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Clips in it. */
  get size(): number {
    return this.#clips.size;
  }

  /**
   * A clip that was kept.
   *
   * @returns [S], the very numbers that were given, or undefined.
   */
  get(key: string): Float32Array<ArrayBuffer> | undefined {
    const clip = this.#clips.get(key);
    if (!(clip instanceof Int16Array)) return clip;
    const samples = new Float32Array(clip);
    for (let i = 0; i < samples.length; i++) samples[i]! /= 32768;
    return samples;
  }

  /**
   * Keeps a clip if there is room: in two bytes a sample where that loses nothing, as with audio of 16 bits, else in
   * four.
   *
   * @param samples [S], not to be changed afterwards.
   */
  add(key: string, samples: Float32Array<ArrayBuffer>): void {
    const half = samples.length * 2;
    if (this.#clips.has(key) || half > this.#left) return;
    const clip = toIntegers(samples) ?? samples;
    if (clip.byteLength > this.#left) return;
    this.#left -= clip.byteLength;
    this.#clips.set(key, clip);
  }
}

/** Samples as integers of 16 bits; null where one is none. */
function toIntegers(samples: Float32Array): Int16Array<ArrayBuffer> | null {
  const integers = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = samples[i]! * 32768;
    integers[i] = value;
    // Negative zero, which would lose its sign, is none either.
    if (!Object.is(integers[i], value)) return null;
  }
  return integers;
}
