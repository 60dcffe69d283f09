// Durations of utterances, from headers where possible.
import { readAudioHead } from "../audio/format.ts";
import type { DecodeJob } from "../batching/decode_worker.ts";
import { WorkerPool } from "../worker_pool.ts";
import type { AudioPlace, Utterance } from "./utterance.ts";
import { UtteranceReader } from "./utterance_reader.ts";

/** An utterance with its duration. */
export type TimedUtterance = Utterance & { readonly seconds: number };

const RATE = 16_000;
// Fewer files are decoded sooner than threads start.
const MANY = 16;

// Formats whose header states the duration exactly; for MP3 it may be a lower bound.
const EXACT = ["wav", "aiff", "sphere", "flac", "ogg flac", "vorbis", "opus", "g722"];

/**
 * Adds the durations that a corpus does not state. They are read from the files' headers; a file is decoded only if its
 * header does not state it.
 *
 * @param utterances Utterances.
 * @returns The same, each with its duration.
 * @throws {SyntaxError | RangeError | Error} If a file is missing, empty or broken; one line that names the path.
 *
 * @example
 * ```ts ignore
 * const utterances = await withSeconds(await openCorpus("LibriSpeech", "dev-clean", { task: "asr" }));
 * ```
 */
export async function withSeconds(utterances: readonly Utterance[]): Promise<TimedUtterance[]> {
  using reader = new UtteranceReader();
  const seconds: (number | null)[] = [];
  for (const utterance of utterances) {
    seconds.push(utterance.seconds ?? await secondsOfHeader(utterance, reader));
  }
  const unknown = utterances.filter((_, i) => seconds[i] === null);
  const decoded = await decodeAll(unknown, reader);
  let next = 0;
  return utterances.map((utterance, i) => ({ ...utterance, seconds: seconds[i] ?? decoded[next++]! }));
}

/** Duration by a header; null if it does not state it, or not exactly. */
async function secondsOfHeader(place: AudioPlace, reader: UtteranceReader): Promise<number | null> {
  const { segment = { offset: 0 } } = place;
  if (segment.seconds !== undefined) return segment.seconds;
  const source = await reader.open(place);
  try {
    const { format, seconds } = readAudioHead(source);
    const isKnown = seconds !== null && EXACT.includes(format) && seconds > segment.offset;
    return isKnown ? seconds - segment.offset : null;
  } finally {
    source.close();
  }
}

/** Durations of utterances that must be decoded, in threads if there are many. */
async function decodeAll(places: readonly AudioPlace[], reader: UtteranceReader): Promise<number[]> {
  const lengths: number[] = [];
  if (places.length < MANY) {
    for (const place of places) lengths.push((await reader.read(place, { sampleRate: RATE })).samples.length);
  } else {
    const threads = Math.min(8, navigator.hardwareConcurrency);
    const pool = new WorkerPool<DecodeJob, Float32Array>(
      new URL("../batching/decode_worker.ts", import.meta.url),
      threads,
    );
    try {
      const jobs = places.map(async (place) =>
        (await pool.run({ place, speed: 1, sampleRate: RATE })).length
      );
      // The first error in the order of the corpus.
      for (const result of await Promise.allSettled(jobs)) {
        if (result.status === "rejected") throw result.reason;
        lengths.push(result.value);
      }
    } finally {
      pool.close();
    }
  }
  return lengths.map((length) => length / RATE);
}
