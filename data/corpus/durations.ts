// Durations of utterances, from headers where possible.
import { readAudioHead } from "../audio/format.ts";
import type { AudioSource } from "../audio/source.ts";
import type { AudioPlace, Utterance } from "./utterance.ts";
import { UtteranceReader } from "./utterance_reader.ts";

/** An utterance with its duration. */
export type TimedUtterance = Utterance & { readonly seconds: number };

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
  const timed: TimedUtterance[] = [];
  for (const utterance of utterances) {
    timed.push({ ...utterance, seconds: utterance.seconds ?? await secondsOf(utterance, reader) });
  }
  return timed;
}

/** Duration in seconds, from the header where it states it. */
async function secondsOf(place: AudioPlace, reader: UtteranceReader): Promise<number> {
  const { segment = { offset: 0 } } = place;
  if (segment.seconds !== undefined) return segment.seconds;
  const source = await reader.open(place);
  try {
    const seconds = exactSeconds(source);
    if (seconds !== null && seconds > segment.offset) return seconds - segment.offset;
  } finally {
    source.close();
  }
  const { samples, sampleRate } = await reader.read(place, { sampleRate: 16_000 });
  return samples.length / sampleRate;
}

/** Duration that a header states; null if it does not, or not exactly. */
function exactSeconds(source: AudioSource): number | null {
  const { format, seconds } = readAudioHead(source);
  return EXACT.includes(format) ? seconds : null;
}
