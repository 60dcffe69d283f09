// Reads and decodes audio files: the functions of this folder that others use.
import { type AudioOptions, concatBlocks, type DecodedAudio, readBlocks } from "./blocks.ts";
import { type AudioSource, bytesSource, fileSource } from "./source.ts";

export type { AudioOptions, DecodedAudio };

/**
 * Decodes audio in memory and averages its channels: WAV (8, 16, 24, 32 bits, float, A-law, mu-law), FLAC, MP3, Ogg
 * Vorbis, Opus or FLAC, AIFF and NIST SPHERE (PCM, A-law, mu-law), and G.722 (64 kbit/s) if the name ends in `.g722`. Integers of n bits are divided by 2^(n−1).
 * Decoders and the resampler (libsamplerate) are loaded on first use. libFLAC reads environment variables, so FLAC
 * needs Deno's permission `--allow-env`.
 *
 * @param bytes The whole file.
 * @param name Name for errors, such as the path.
 * @param options Limits and sample rate; the default rate is the file's.
 * @throws {SyntaxError} If the file is empty, broken or of an unknown format.
 * @throws {RangeError} If it is too short or too long (more than 2^28 samples included), or a rate is out of range.
 *
 * @example
 * ```ts
 * import { decodeBytes } from "./audio.ts";
 *
 * const prompt = new Uint8Array(8000); // a second of G.722
 * const { samples, sampleRate } = await decodeBytes(prompt, "prompt.g722");
 * console.log(samples.length / sampleRate); // 1
 * ```
 */
export async function decodeBytes(
  bytes: Uint8Array,
  name: string,
  options: AudioOptions = {},
): Promise<DecodedAudio> {
  return await readAll(bytesSource(bytes, name), options);
}

/**
 * Reads an audio file and resamples it, by default to 16 kHz; otherwise as {@linkcode decodeBytes}. A file that is too
 * long by its header is refused before it is decoded.
 *
 * @param path Path of the file.
 * @throws {SyntaxError} If the file is empty, broken or of an unknown format.
 * @throws {RangeError} If it is too short or too long, or a rate is out of range.
 * @throws {TypeError | Deno.errors.NotFound | Deno.errors.PermissionDenied} If the path is not a file, does not exist,
 * or may not be read.
 *
 * @example
 * ```ts ignore
 * const { samples } = await loadAudio("speech.flac");
 * ```
 */
export async function loadAudio(path: string | URL, options: AudioOptions = {}): Promise<DecodedAudio> {
  return await readAll(await fileSource(path), { sampleRate: 16_000, ...options });
}

/**
 * Reads an audio file of any length in bounded memory, as blocks of samples, by default at 16 kHz. Concatenated, they
 * equal the result of {@linkcode loadAudio}. Without `maxSeconds` there is no limit.
 *
 * @param path Path of the file.
 * @returns Blocks of some ten thousand samples.
 * @throws {SyntaxError | RangeError | TypeError | Deno.errors.NotFound | Deno.errors.PermissionDenied} As
 * {@linkcode loadAudio}; an error later in the file is thrown when it is reached.
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

async function readAll(source: AudioSource, options: AudioOptions): Promise<DecodedAudio> {
  try {
    return await concatBlocks(source, readBlocks(source, options));
  } finally {
    source.close();
  }
}
