// Reads the audio of utterances: files, segments of longer files, and rows of Parquet files.
import {
  type AudioOptions,
  concatBlocks,
  type DecodedAudio,
  readBlocks,
  resampleBlocks,
} from "../audio/blocks.ts";
import { readAudioHead } from "../audio/format.ts";
import { concat } from "../audio/resample.ts";
import { framesOfSegment, type Segment } from "../audio/segment.ts";
import { type AudioSource, bytesSource, fileSource, refuse } from "../audio/source.ts";
import type { ParquetFile } from "../parquet/file.ts";
import { loadReader } from "./parquet.ts";
import type { AudioPlace } from "./utterance.ts";

// Samples of a compressed file that are kept: 128 MiB, or half an hour at 16 kHz.
const MAX_KEPT = 2 ** 25;

/**
 * Reads the audio of utterances in turn. It keeps the samples of the last compressed file, so that one with many segments
 * is decoded once if they are read one after another. Of an uncompressed file only the segment is read.
 */
export class UtteranceReader implements Disposable {
  /** The last Parquet file. */
  #rows: { readonly path: string; readonly file: ParquetFile } | undefined;
  /** The last compressed file with segments; null samples if it has too many. */
  #last: { readonly path: string; readonly whole: DecodedAudio | null } | undefined;

  /**
   * Reads an utterance.
   *
   * @param place Where its audio is.
   * @param options Limits and sample rate; the default rate is the file's.
   * @throws {SyntaxError | RangeError | TypeError | Deno.errors.NotFound | Deno.errors.PermissionDenied} If the file is
   * missing or broken, or the segment is not in it; one line that names the path.
   */
  async read(place: AudioPlace, options: AudioOptions = {}): Promise<DecodedAudio> {
    const { audio, samples, segment } = place;
    if (samples) return { samples, sampleRate: 16_000 };
    const source = await this.open(place);
    try {
      if (segment === undefined) return await concatBlocks(source, readBlocks(source, options));
      const whole = readAudioHead(source).wav ? null : await this.#decode(audio, source);
      const blocks = whole
        ? resampleBlocks(source, [cut(source, whole, segment)], options)
        : readBlocks(source, { ...options, segment });
      return await concatBlocks(source, blocks);
    } finally {
      source.close();
    }
  }

  /**
   * Opens the audio file of an utterance: the whole file, also of a segment.
   *
   * @param place Where its audio is.
   * @returns The file, to be closed.
   * @throws {SyntaxError | TypeError | Deno.errors.NotFound | Deno.errors.PermissionDenied} If it is missing.
   */
  async open({ audio, segment, row }: AudioPlace): Promise<AudioSource> {
    if (row === undefined) {
      const source = await fileSource(audio);
      return segment ? { ...source, name: `${textOf(segment)} of ${source.name}` } : source;
    }
    const { ParquetFile, readAudioFile } = await loadReader();
    if (this.#rows?.path !== audio) {
      this.#rows?.file[Symbol.dispose]();
      this.#rows = undefined;
      this.#rows = { path: audio, file: await ParquetFile.open(audio) };
    }
    return bytesSource(await readAudioFile(this.#rows.file, audio, row), `row ${row} of ${audio}`);
  }

  /** Closes the last file. */
  [Symbol.dispose](): void {
    this.#rows?.file[Symbol.dispose]();
    this.#rows = undefined;
  }

  /** The samples of a file; null if it has too many to be kept. */
  async #decode(path: string, source: AudioSource): Promise<DecodedAudio | null> {
    if (this.#last?.path === path) return this.#last.whole;
    this.#last = undefined;
    const parts: Float32Array[] = [];
    let sampleRate = 0;
    let total = 0;
    for await (const block of readBlocks(source, { minSamples: 1, maxSeconds: Infinity })) {
      parts.push(block.samples);
      sampleRate = block.sampleRate;
      total += block.samples.length;
      if (total > MAX_KEPT) break;
    }
    const whole = total > MAX_KEPT ? null : { samples: concat(parts), sampleRate };
    this.#last = { path, whole };
    return whole;
  }
}

function cut(source: AudioSource, { samples, sampleRate }: DecodedAudio, segment: Segment): DecodedAudio {
  const { from, to } = framesOfSegment(segment, sampleRate, samples.length);
  if (from === to) {
    refuse(source, "a segment must begin within the file", `it begins at ${segment.offset} s`);
  }
  return { samples: samples.slice(from, to), sampleRate };
}

/** A segment for errors: `0.5 s at 12 s`. */
function textOf({ offset, seconds }: Segment): string {
  const at = `${Number(offset.toFixed(3))} s`;
  return seconds === undefined ? `the part after ${at}` : `${Number(seconds.toFixed(3))} s at ${at}`;
}
