/**
 * Measures how much audio a stream takes after a word has ended until the word is in its text. The time to compute comes on top.
 *
 * @module
 */

import { EMBEDDED_DENSE } from "../cli/embedded.ts";
import { loadAudio } from "../data/audio/audio.ts";
import { loadModel } from "../model/inference/load_model.ts";
import type { LoadedModel } from "../model/inference/loaded_model.ts";
import type { StreamOptions } from "../model/inference/stream.ts";
import type { TitledTable } from "./record.ts";
import { ROOT } from "./step_modules.ts";

const SAMPLES = ["bathroom", "radio", "weather"].map((name) => `${ROOT}/assets/samples/${name}.flac`);

/** Seconds of audio, and of a piece of it. */
const [SECONDS, PIECE] = [30, 0.2];

const SETTINGS: readonly Required<StreamOptions>[] = [
  { chunkSeconds: 6, strideSeconds: 1, partialSeconds: 0.5 },
  { chunkSeconds: 4, strideSeconds: 1, partialSeconds: 0.5 },
  { chunkSeconds: 3, strideSeconds: 0.5, partialSeconds: 0.2 },
];

/** Delays with one setting, in seconds of audio from a word's end. */
export interface StreamDelays {
  readonly settings: Required<StreamOptions>;
  /** Of each word: until it is final, and until a partial text has it. */
  readonly final: readonly number[];
  readonly partial: readonly number[];
}

/** Result of {@linkcode measureStreaming}. */
export interface StreamingResult {
  readonly seconds: number;
  readonly piece: number;
  readonly delays: readonly StreamDelays[];
}

/** Measures the embedded dense model on the embedded samples, repeated. @param progress Receives a message before each setting. */
export async function measureStreaming(progress: (message: string) => void): Promise<StreamingResult> {
  const parts = await Promise.all(SAMPLES.map(async (path) => [...(await loadAudio(path)).samples]));
  const once = parts.flat();
  const audio = Float32Array.from({ length: SECONDS * 16_000 }, (_, i) => once[i % once.length]!);
  using model = await loadModel(EMBEDDED_DENSE);
  const delays: StreamDelays[] = [];
  for (const settings of SETTINGS) {
    progress(`chunks of ${settings.chunkSeconds} s`);
    delays.push({ settings, ...await delaysOf(model, audio, settings) });
  }
  return { seconds: SECONDS, piece: PIECE, delays };
}

async function delaysOf(model: LoadedModel, audio: Float32Array, settings: StreamOptions) {
  const samples = PIECE * 16_000;
  const pieces = Array.from(
    { length: Math.ceil(audio.length / samples) },
    (_, i) => audio.subarray(i * samples, (i + 1) * samples),
  );
  const ends: number[] = [];
  const final: number[] = [];
  /** When each word was first in a text, final or partial. */
  const seen: number[] = [];
  for await (const { words, partial, seconds } of model.stream(pieces, settings)) {
    ends.push(...words.map(({ end }) => end));
    final.push(...words.map(() => seconds));
    const all = ends.length + partial.split(" ").filter((word) => word !== "").length;
    while (seen.length < all) seen.push(seconds);
  }
  const since = (times: readonly number[]) => ends.map((end, i) => times[i]! - end);
  return { final: since(final), partial: since(seen) };
}

/** The delays as a table. */
export function streamingTables({ seconds, piece, delays }: StreamingResult): TitledTable[] {
  const spread = (values: readonly number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(share * (sorted.length - 1))]!;
    return [0.5, 0.95, 1].map((share) => `${at(share).toFixed(1)} s`).join(", ");
  };
  return [{
    title:
      `Seconds of audio from the end of a word to its text, of ${
        delays[0]!.final.length
      } words in ${seconds} s of ` +
      `the embedded samples, in pieces of ${piece} s: median, 95th percentile, largest`,
    left: [0, 1, 2],
    head: ["`chunkSeconds`, `strideSeconds`, `partialSeconds`", "final", "partial"],
    rows: delays.map(({ settings, final, partial }) => [
      [settings.chunkSeconds, settings.strideSeconds, settings.partialSeconds].join(", "),
      ...[spread(final), spread(partial)],
    ]),
  }];
}
