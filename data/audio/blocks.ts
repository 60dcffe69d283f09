// Decodes any format block by block to one channel at one sample rate.
import { type AudioFormat, type AudioHead, readAudioHead } from "./format.ts";
import { type AudioSource, refuse } from "./source.ts";
import { type AudioBlock, decodeByLibrary } from "./codecs.ts";
import { decodeFlac } from "./flac.ts";
import { G722Decoder } from "./g722.ts";
import { createResampler, type Resampler } from "./resample.ts";
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
}

const FOUR_HOURS = 4 * 3600;
// The receptive field of the feature encoder.
const ONE_FRAME = 400;
const CHUNK = 65_536; // bytes

/**
 * Decodes a source block by block, averages its channels and resamples it.
 *
 * @throws {SyntaxError | RangeError} If the file is broken, too short or too long, or a rate is out of range.
 */
export async function* readBlocks(source: AudioSource, options: AudioOptions): AsyncGenerator<DecodedAudio> {
  const { maxSeconds = FOUR_HOURS, minSamples = ONE_FRAME } = options;
  if (options.sampleRate !== undefined) checkRate(source, options.sampleRate);
  const tooLong = (found: string) => {
    const most = `${maxSeconds} s`;
    throw new RangeError(`Cannot read ${source.name} as audio may last at most ${most}: ${found}`);
  };
  const head = readAudioHead(source);
  if ((head.seconds ?? 0) > maxSeconds) tooLong(`its header states ${Math.round(head.seconds!)} s`);
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
      yield { samples: samples as DecodedAudio["samples"], sampleRate: options.sampleRate ?? sampleRate };
    }
    if (taken === 0) refuse(source, "it must have samples", "none could be decoded");
    if (head.frames !== null && head.frames !== taken) {
      refuse(
        source,
        "it must have as many samples as its header states",
        `${taken} of ${head.frames} can be decoded`,
      );
    }
    const rest = resampler?.finish();
    given += rest?.length ?? 0;
    if (given < minSamples) {
      throw new RangeError(
        `Cannot read ${source.name} as audio must have at least ${minSamples} samples: found ${given}`,
      );
    }
    if (rest !== undefined) {
      yield { samples: rest as DecodedAudio["samples"], sampleRate: options.sampleRate! };
    }
  } finally {
    resampler?.close();
  }
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
    const library = format as Exclude<AudioFormat, "wav" | "sphere" | "g722" | "flac" | "ogg flac">;
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
