import { loadAudio } from "../audio/audio.ts";
import { readAudioHead } from "../audio/format.ts";
import { fileSource } from "../audio/source.ts";
import type { Utterance } from "./corpus.ts";

/** An utterance whose length is known. */
export type TimedUtterance = Utterance & { readonly seconds: number };

// Formats whose header tells the length; of the others it tells a bound.
const EXACT = ["wav", "flac", "ogg flac", "vorbis", "opus", "g722"];

/**
 * Finds the lengths that a corpus does not tell, from the files' headers; only files whose header does not tell it are
 * decoded.
 *
 * @param utterances Clips.
 * @returns The same, each with its length.
 * @throws {SyntaxError | RangeError | Error} If a file is missing, empty or broken; one line that names it.
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
 * Length of an audio file.
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
