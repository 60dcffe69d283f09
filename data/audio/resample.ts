// Another sample rate, by libsamplerate as WebAssembly, loaded when a file needs it.

/** The part of the library that is used; its own types name exports that it does not have. */
interface Library {
  create(
    channels: number,
    from: number,
    to: number,
    options: { converterType: number },
  ): Promise<{ full(samples: Float32Array): Float32Array; destroy(): void }>;
}

// SRC_SINC_MEDIUM_QUALITY: flat to 90 % of the bandwidth, noise at −121 dB, a quarter of the time of the best.
const CONVERTER = 1;
// The library's buffers hold 1,008,000 samples, before and after.
const LARGEST_PIECE = 900_000;
const SILENCE = new Float32Array(4096);

/** Converts a signal that comes in blocks. */
export interface Resampler {
  /** Takes the next samples; returns those that are ready, which lag behind. */
  push(samples: Float32Array): Float32Array;
  /** Ends the signal: the samples still missing to ⌈n · to / from⌉ in all. */
  finish(): Float32Array;
  /** Gives the library's memory back. */
  close(): void;
}

/**
 * Makes a resampler of one channel.
 *
 * @param from Sample rate of what is pushed, 1,000 to 192,000 Hz.
 * @param to Sample rate of what comes out, in the same range.
 */
export async function createResampler(from: number, to: number): Promise<Resampler> {
  const loaded: unknown = await import("npm:@alexanderolsen/libsamplerate-js@2.1.2");
  const converter = await (loaded as { default: Library }).default.create(1, from, to, {
    converterType: CONVERTER,
  });
  const piece = Math.min(32_768, Math.floor(LARGEST_PIECE * Math.min(1, from / to)));
  let taken = 0;
  let given = 0;
  const push = (samples: Float32Array): Float32Array => {
    const parts: Float32Array[] = [];
    for (let at = 0; at < samples.length; at += piece) {
      parts.push(converter.full(samples.subarray(at, at + piece)));
    }
    const all = concat(parts);
    taken += samples.length;
    given += all.length;
    return all;
  };
  return {
    push,
    finish() {
      const missing = Math.ceil(taken * to / from) - given;
      const parts: Float32Array[] = [];
      // Silence pushes out what the filter still holds.
      for (let got = 0; got < missing;) {
        const part = push(SILENCE);
        parts.push(part);
        got += part.length;
      }
      return concat(parts).subarray(0, Math.max(0, missing));
    },
    close: () => converter.destroy(),
  };
}

/** Arrays joined into one. */
export function concat(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
