// Durations of utterances, from headers where possible.
import { loadAudio } from "../audio/audio.ts";
import { readAudioHead } from "../audio/format.ts";
import { fileSource } from "../audio/source.ts";
import type { Utterance } from "./utterance.ts";

/** An utterance with its duration. */
export type TimedUtterance = Utterance & { readonly seconds: number };

// Formats whose header states the duration exactly; for MP3 it may be a lower bound.
const EXACT = ["wav", "sphere", "flac", "ogg flac", "vorbis", "opus", "g722"];

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
  const timed: TimedUtterance[] = [];
  for (const utterance of utterances) {
    timed.push({ ...utterance, seconds: utterance.seconds ?? await secondsOf(utterance.audio) });
  }
  return timed;
}

/**
 * Duration of an audio file.
 *
 * @returns Seconds.
 * @throws {SyntaxError | RangeError | Error} As {@linkcode withSeconds}.
 */
export async function secondsOf(path: string): Promise<number> {
  const source = await fileSource(path);
  try {
    const { format, seconds } = readAudioHead(source);
    if (seconds !== null && EXACT.includes(format)) return seconds;
  } finally {
    source.close();
  }
  const { samples, sampleRate } = await loadAudio(path);
  return samples.length / sampleRate;
}
