// A worker that decodes audio files to check them.
import { serveJobs } from "../worker_pool.ts";
import type { AudioPlace } from "./utterance.ts";
import { UtteranceReader } from "./utterance_reader.ts";

/** Measurements of a decoded audio file. */
export interface UtteranceCheck {
  readonly seconds: number;
  /** Sample rate of the file, Hz. */
  readonly sampleRate: number;
  /** Largest absolute value of a sample. */
  readonly peak: number;
}

const reader = new UtteranceReader();

serveJobs<AudioPlace, UtteranceCheck>(async (place) => {
  const { samples, sampleRate } = await reader.read(place);
  let peak = 0;
  for (const x of samples) peak = Math.max(peak, Math.abs(x));
  return { result: { seconds: samples.length / sampleRate, sampleRate, peak } };
});
