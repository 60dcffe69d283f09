import { type AudioOptions, type DecodedAudio, readBlocks } from "./blocks.ts";
import { type AudioSource, bytesSource, fileSource } from "./source.ts";
import { concat } from "./resample.ts";

export type { AudioOptions, DecodedAudio };

// In memory at once: a gibibyte, four hours at 16 kHz and more.
const MOST_SAMPLES = 2 ** 28;

/**
 * Decodes audio in memory to one channel, the mean of the file's channels: WAV (8, 16, 24, 32 bits, float, A-law,
 * mu-law), FLAC, MP3, Ogg Vorbis, Opus or FLAC, and G.722 (64 kbit/s) where the name ends in `.g722`. Integers of n
 * bits are divided by 2^(n−1). Decoders and the resampler, libsamplerate, are loaded when they are needed.
 * libFLAC looks into the environment, so FLAC takes Deno's permission `--allow-env`.
 *
 * @param bytes The whole file.
 * @param name What to call it in errors, such as its path.
 * @param options The rate is the file's own unless one is given.
 * @throws {SyntaxError} If it is empty, broken or of no known format.
 * @throws {RangeError} If it is too short or too long (also 2^28 samples), or a rate is out of range.
 *
 * @example
 * ```ts
 * import { decodeAudio } from "./audio.ts";
 *
 * const prompt = new Uint8Array(8000); // a second of G.722
 * const { samples, sampleRate } = await decodeAudio(prompt, "prompt.g722");
 * console.log(samples.length / sampleRate); // 1
 * ```
 */
export async function decodeAudio(
  bytes: Uint8Array,
  name: string,
  options: AudioOptions = {},
): Promise<DecodedAudio> {
  return await collect(bytesSource(bytes, name), options);
}

/**
 * Reads an audio file at the rate of the models, 16 kHz unless another is given; else as {@linkcode decodeAudio}. A
 * file whose header says that it is too long is refused before it is decoded.
 *
 * @param path File to read.
 * @throws {SyntaxError} If it is empty, broken or of no known format.
 * @throws {RangeError} If it is too short or too long, or a rate is out of range.
 * @throws {TypeError | Deno.errors.NotFound | Deno.errors.PermissionDenied} If it is no file, missing, or may not be
 * read.
 *
 * @example
 * ```ts ignore
 * const { samples } = await loadAudio("speech.flac");
 * ```
 */
export async function loadAudio(path: string | URL, options: AudioOptions = {}): Promise<DecodedAudio> {
  return await collect(await fileSource(path), { sampleRate: 16_000, ...options });
}

/**
 * Reads an audio file of any length in bounded memory: blocks of samples at the rate of the models, 16 kHz unless
 * another is given. Joined, they are what {@linkcode loadAudio} gives. Without `maxSeconds` there is no limit.
 *
 * @param path File to read.
 * @returns Blocks of some ten thousand samples.
 * @throws {SyntaxError | RangeError | TypeError | Deno.errors.NotFound | Deno.errors.PermissionDenied} As
 * {@linkcode loadAudio}; a fault further on is thrown when it is reached.
 *
 * @example
 * ```ts ignore
 * for await (const samples of streamAudio("meeting.opus")) console.log(samples.length);
 * ```
 */
export async function* streamAudio(
  path: string | URL,
  options: AudioOptions = {},
): AsyncGenerator<Float32Array> {
  const source = await fileSource(path);
  try {
    for await (
      const { samples } of readBlocks(source, { sampleRate: 16_000, maxSeconds: Infinity, ...options })
    ) {
      yield samples;
    }
  } finally {
    source.close();
  }
}

async function collect(source: AudioSource, options: AudioOptions): Promise<DecodedAudio> {
  try {
    const parts: Float32Array[] = [];
    let sampleRate = 0;
    let total = 0;
    for await (const block of readBlocks(source, options)) {
      parts.push(block.samples);
      sampleRate = block.sampleRate;
      total += block.samples.length;
      if (total > MOST_SAMPLES) {
        throw new RangeError(
          `Cannot read ${source.name} as audio in memory has at most ${MOST_SAMPLES} samples: it has more`,
        );
      }
    }
    return { samples: concat(parts), sampleRate };
  } finally {
    source.close();
  }
}
