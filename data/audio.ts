import { type AudioFormat, type AudioHead, readAudioHead } from "./audio_format.ts";
import { type AudioSource, bytesSource, fileSource, refuse } from "./audio_source.ts";
import { type AudioBlock, decodeByLibrary } from "./codecs.ts";
import { decodeFlac } from "./flac.ts";
import { G722Decoder } from "./g722.ts";
import { concat, createResampler, type Resampler } from "./resample.ts";
import { decodeWav } from "./wav.ts";

/** Audio in memory, one channel. */
export interface AudioClip {
  /** [S] samples, ±1 at full scale. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Samples a second, Hz. */
  readonly sampleRate: number;
}

/** How audio is read. */
export interface AudioOptions {
  /** Rate to convert to, 1,000 to 192,000 Hz. */
  readonly sampleRate?: number;
  /** Longest audio that is read, in seconds; 4 hours unless given. */
  readonly maxSeconds?: number;
  /** Least number of samples, at the rate asked for: 400, of which the models make one frame, unless given. */
  readonly minSamples?: number;
}

const FOUR_HOURS = 4 * 3600;
// The least that gives a frame: the receptive field of the feature encoder.
const ONE_FRAME = 400;
const PIECE = 65_536;
// In memory at once: a gibibyte, four hours at 16 kHz and more.
const MOST_SAMPLES = 2 ** 28;

/**
 * Decodes audio in memory to one channel, the mean of the file's channels: WAV (8, 16, 24, 32 bits, float, A-law,
 * mu-law), FLAC, MP3, Ogg Vorbis, Opus or FLAC, and G.722 (64 kbit/s) where the name ends in `.g722`. Integers of n
 * bits are divided by 2^(n−1). Decoders and the resampler, libsamplerate, are loaded when they are needed.
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
): Promise<AudioClip> {
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
export async function loadAudio(path: string | URL, options: AudioOptions = {}): Promise<AudioClip> {
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
    for await (const { samples } of read(source, { sampleRate: 16_000, maxSeconds: Infinity, ...options })) {
      yield samples;
    }
  } finally {
    source.close();
  }
}

async function collect(source: AudioSource, options: AudioOptions): Promise<AudioClip> {
  try {
    const parts: Float32Array[] = [];
    let sampleRate = 0;
    let total = 0;
    for await (const block of read(source, options)) {
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

/** One channel at the rate asked for, block by block. */
async function* read(source: AudioSource, options: AudioOptions): AsyncGenerator<AudioClip> {
  const { maxSeconds = FOUR_HOURS, minSamples = ONE_FRAME } = options;
  if (options.sampleRate !== undefined) checkRate(source, options.sampleRate);
  const tooLong = (found: string) => {
    const most = `${maxSeconds} s`;
    throw new RangeError(`Cannot read ${source.name} as audio may last at most ${most}: ${found}`);
  };
  const head = readAudioHead(source);
  if ((head.seconds ?? 0) > maxSeconds) tooLong(`its header says ${Math.round(head.seconds!)} s`);
  let resampler: Resampler | undefined;
  let sampleRate = 0;
  let taken = 0;
  let given = 0;
  try {
    for await (const block of decode(source, head)) {
      if (sampleRate === 0) {
        sampleRate = block.sampleRate;
        checkRate(source, sampleRate);
        const to = options.sampleRate ?? sampleRate;
        if (to !== sampleRate) resampler = await createResampler(sampleRate, to);
      } else if (block.sampleRate !== sampleRate) {
        refuse(source, "its sample rate must not change", `${sampleRate} Hz, then ${block.sampleRate} Hz`);
      }
      const mono = mix(block, source).subarray(0, Math.max(0, (head.end ?? Infinity) - taken));
      taken += mono.length;
      if (taken > maxSeconds * sampleRate) tooLong("it is longer");
      const samples = resampler?.push(mono) ?? mono;
      given += samples.length;
      yield { samples: samples as AudioClip["samples"], sampleRate: options.sampleRate ?? sampleRate };
    }
    if (taken === 0) refuse(source, "it must have samples", "none could be decoded");
    if (head.frames !== null && head.frames !== taken) {
      refuse(
        source,
        "it must have as many samples as its header says",
        `${taken} of ${head.frames} are sound`,
      );
    }
    const rest = resampler?.finish();
    given += rest?.length ?? 0;
    if (given < minSamples) {
      throw new RangeError(
        `Cannot read ${source.name} as a clip must have at least ${minSamples} samples: found ${given}`,
      );
    }
    if (rest !== undefined) yield { samples: rest as AudioClip["samples"], sampleRate: options.sampleRate! };
  } finally {
    resampler?.close();
  }
}

async function* decode(source: AudioSource, { format, wav }: AudioHead): AsyncGenerator<AudioBlock> {
  if (wav !== undefined) {
    const frame = wav.width * wav.channels;
    const most = Math.max(1, Math.floor(PIECE / frame));
    for (let done = 0; done < wav.frames; done += most) {
      const bytes = source.read(wav.start + done * frame, Math.min(most, wav.frames - done) * frame);
      yield { channels: decodeWav(bytes, wav), sampleRate: wav.sampleRate };
    }
  } else if (format === "g722") {
    const decoder = new G722Decoder();
    for (let at = 0; at < source.size; at += PIECE) {
      yield { channels: [decoder.decode(source.read(at, PIECE))], sampleRate: 16_000 };
    }
  } else if (format === "flac" || format === "ogg flac") {
    yield* decodeFlac(source, format === "ogg flac");
  } else {
    const library = format as Exclude<AudioFormat, "wav" | "g722" | "flac" | "ogg flac">;
    yield* decodeByLibrary(source, library);
  }
}

/** The mean of the channels. */
function mix({ channels }: AudioBlock, source: AudioSource): Float32Array {
  const [first] = channels;
  const mono = channels.length === 1 ? first! : first!.map((_, i) => {
    let sum = 0;
    for (const channel of channels) sum += channel[i]!;
    return sum / channels.length;
  });
  const broken = mono.findIndex((sample) => !Number.isFinite(sample));
  if (broken >= 0) refuse(source, "its samples must be finite numbers", `one is ${mono[broken]}`);
  return mono;
}

function checkRate(source: AudioSource, sampleRate: number): void {
  if (Number.isInteger(sampleRate) && sampleRate >= 1000 && sampleRate <= 192_000) return;
  throw new RangeError(
    `Cannot read ${source.name} as a sample rate must be a whole number from 1000 to 192000 Hz: it is ${sampleRate}`,
  );
}
