// Decodes any format block by block to one channel at one sample rate.
import { type AudioFormat, type AudioHead, readAudioHead } from "./format.ts";
import { type AudioSource, refuse } from "./source.ts";
import { type AudioBlock, decodeByLibrary } from "./codecs.ts";
import { decodeFlac } from "./flac.ts";
import { framesOfSegment, type Segment } from "./segment.ts";
import { G722Decoder } from "./g722.ts";
import { concat, createResampler, type Resampler } from "./resample.ts";
import { decodeWav } from "./wav.ts";

/** Decoded audio, one channel. */
export interface DecodedAudio {
  /** [S] samples, ±1 at full scale. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Samples a second, Hz. */
  readonly sampleRate: number;
}

/** Options of {@linkcode readBlocks} and the functions built on it. */
export interface AudioOptions {
  /** Sample rate of the result, 1,000 to 192,000 Hz. */
  readonly sampleRate?: number;
  /** Maximum length in seconds; default 4 hours. */
  readonly maxSeconds?: number;
  /** Minimum number of samples at the resulting rate; default 400, one frame of the models. */
  readonly minSamples?: number;
  /** Part of the file to read; default all of it. It is cut before it is resampled. */
  readonly segment?: Segment;
}

const FOUR_HOURS = 4 * 3600;
// The receptive field of the feature encoder.
const ONE_FRAME = 400;
const CHUNK = 65_536; // bytes
// 1 GiB of float32, or more than four hours at 16 kHz.
const MAX_SAMPLES = 2 ** 28;

/**
 * Decodes a source block by block, averages its channels and resamples it.
 *
 * @throws {SyntaxError | RangeError} If the file is broken, too short or too long, or a rate is out of range.
 */
export async function* readBlocks(source: AudioSource, options: AudioOptions): AsyncGenerator<DecodedAudio> {
  if (options.sampleRate !== undefined) checkRate(source, options.sampleRate);
  yield* resampleBlocks(source, decodeBlocks(source, options), options);
}

/**
 * Resamples blocks of one sample rate.
 *
 * @param source Name for errors.
 * @throws {RangeError} If there are fewer samples than `minSamples`.
 */
export async function* resampleBlocks(
  source: { readonly name: string },
  blocks: AsyncIterable<DecodedAudio> | Iterable<DecodedAudio>,
  { sampleRate, minSamples = ONE_FRAME }: AudioOptions,
): AsyncGenerator<DecodedAudio> {
  let resampler: Resampler | undefined;
  let isFirst = true;
  let given = 0;
  try {
    for await (const block of blocks) {
      const to = sampleRate ?? block.sampleRate;
      if (isFirst && to !== block.sampleRate) resampler = await createResampler(block.sampleRate, to);
      isFirst = false;
      const samples = resampler?.push(block.samples) ?? block.samples;
      given += samples.length;
      yield { samples: samples as DecodedAudio["samples"], sampleRate: to };
    }
    const rest = resampler?.finish();
    given += rest?.length ?? 0;
    if (given < minSamples) {
      throw new RangeError(
        `Cannot read ${source.name} as audio must have at least ${minSamples} samples: found ${given}`,
      );
    }
    if (rest !== undefined) yield { samples: rest as DecodedAudio["samples"], sampleRate: sampleRate! };
  } finally {
    resampler?.close();
  }
}

/**
 * Concatenates blocks.
 *
 * @param source Name for errors.
 * @throws {RangeError} If there are more than 2^28 samples.
 */
export async function concatBlocks(
  source: { readonly name: string },
  blocks: AsyncIterable<DecodedAudio>,
): Promise<DecodedAudio> {
  const parts: Float32Array[] = [];
  let sampleRate = 0;
  let total = 0;
  for await (const block of blocks) {
    parts.push(block.samples);
    sampleRate = block.sampleRate;
    total += block.samples.length;
    if (total > MAX_SAMPLES) {
      throw new RangeError(
        `Cannot read ${source.name} as audio in memory has at most ${MAX_SAMPLES} samples: it has more`,
      );
    }
  }
  return { samples: concat(parts), sampleRate };
}

/** Decodes a source block by block at its own sample rate, averages its channels, and cuts a segment. */
async function* decodeBlocks(
  source: AudioSource,
  { maxSeconds = FOUR_HOURS, segment }: AudioOptions,
): AsyncGenerator<DecodedAudio> {
  const tooLong = (found: string) => {
    const most = `${maxSeconds} s`;
    throw new RangeError(`Cannot read ${source.name} as audio may last at most ${most}: ${found}`);
  };
  const head = cutHead(readAudioHead(source), segment);
  const long = segment === undefined ? head.seconds ?? 0 : 0;
  if (long > maxSeconds) tooLong(`its header states ${Math.round(long)} s`);
  let sampleRate = 0;
  let range = { from: 0, to: Infinity };
  let taken = 0; // frames of the file
  let given = 0; // frames of the segment
  for await (const block of decode(source, head)) {
    if (sampleRate === 0) {
      sampleRate = block.sampleRate;
      checkRate(source, sampleRate);
      // The header of uncompressed audio is cut already.
      if (segment && !head.wav) range = framesOfSegment(segment, sampleRate);
    } else if (block.sampleRate !== sampleRate) {
      refuse(source, "its sample rate must not change", `${sampleRate} Hz, then ${block.sampleRate} Hz`);
    }
    const mono = mix(block, source).subarray(0, Math.max(0, (head.end ?? Infinity) - taken));
    const samples = mono.subarray(Math.max(0, range.from - taken), Math.max(0, range.to - taken));
    taken += mono.length;
    given += samples.length;
    if (given > maxSeconds * sampleRate) tooLong("it is longer");
    yield { samples: samples as DecodedAudio["samples"], sampleRate };
    if (taken >= range.to) break;
  }
  if (given === 0 && segment) {
    refuse(source, "a segment must begin within the file", `it begins at ${segment.offset} s`);
  }
  if (taken === 0) refuse(source, "it must have samples", "none could be decoded");
  if (head.frames !== null && head.frames !== taken && taken < range.to) {
    refuse(
      source,
      "it must have as many samples as its header states",
      `${taken} of ${head.frames} can be decoded`,
    );
  }
}

/** The header of a segment, if it is uncompressed: decoding then starts at its first frame. */
function cutHead(head: AudioHead, segment: Segment | undefined): AudioHead {
  const { wav } = head;
  if (!wav || !segment) return head;
  const { from, to } = framesOfSegment(segment, wav.sampleRate, wav.frames);
  const [start, frames] = [wav.start + from * wav.width * wav.channels, to - from];
  return { ...head, frames, seconds: frames / wav.sampleRate, wav: { ...wav, start, frames } };
}

async function* decode(source: AudioSource, { format, wav }: AudioHead): AsyncGenerator<AudioBlock> {
  if (wav !== undefined) {
    const frame = wav.width * wav.channels;
    const most = Math.max(1, Math.floor(CHUNK / frame));
    for (let done = 0; done < wav.frames; done += most) {
      const bytes = source.read(wav.start + done * frame, Math.min(most, wav.frames - done) * frame);
      yield { channels: decodeWav(bytes, wav), sampleRate: wav.sampleRate };
    }
  } else if (format === "g722") {
    const decoder = new G722Decoder();
    for (let at = 0; at < source.size; at += CHUNK) {
      yield { channels: [decoder.decode(source.read(at, CHUNK))], sampleRate: 16_000 };
    }
  } else if (format === "flac" || format === "ogg flac") {
    yield* decodeFlac(source, format === "ogg flac");
  } else {
    const library = format as Exclude<AudioFormat, "wav" | "aiff" | "sphere" | "g722" | "flac" | "ogg flac">;
    yield* decodeByLibrary(source, library);
  }
}

/** The mean of the channels. */
function mix({ channels }: AudioBlock, source: AudioSource): Float32Array {
  const [first, ...others] = channels;
  const mono = others.length === 0 ? first! : new Float32Array(first!.length);
  for (let i = 0; i < mono.length; i++) {
    let sum = first![i]!;
    for (const other of others) sum += other[i]!;
    if (!Number.isFinite(sum)) refuse(source, "its samples must be finite", `one is ${sum}`);
    mono[i] = sum / channels.length;
  }
  return mono;
}

function checkRate(source: AudioSource, sampleRate: number): void {
  if (Number.isInteger(sampleRate) && sampleRate >= 1000 && sampleRate <= 192_000) return;
  throw new RangeError(
    `Cannot read ${source.name} as a sample rate must be a whole number from 1000 to 192000 Hz: it is ${sampleRate}`,
  );
}
