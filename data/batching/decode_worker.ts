// A worker that decodes utterances.
import type { AudioPlace } from "../corpus/utterance.ts";
import { UtteranceReader } from "../corpus/utterance_reader.ts";
import { changeSpeed } from "./augment.ts";
import { serveJobs } from "../worker_pool.ts";

/** An utterance to decode, and a speed. */
export interface DecodeJob {
  readonly place: AudioPlace;
  readonly speed: number;
  /** Sample rate of the result, Hz. */
  readonly sampleRate: number;
}

const reader = new UtteranceReader();

// The result is [S] samples.
serveJobs<DecodeJob, Float32Array<ArrayBuffer>>(async ({ place, speed, sampleRate }) => {
  const { samples } = await reader.read(place, { sampleRate });
  const result = await changeSpeed(samples, speed, sampleRate);
  return { result, transfer: [result.buffer] };
});
