// A worker that decodes utterances.
import { loadAudio } from "../audio/audio.ts";
import { changeSpeed } from "./augment.ts";
import { serveJobs } from "../worker_pool.ts";

/** A file to decode, and a speed. */
export interface DecodeJob {
  readonly path: string;
  readonly speed: number;
  /** Sample rate of the result, Hz. */
  readonly sampleRate: number;
}

// The result is [S] samples.
serveJobs<DecodeJob, Float32Array<ArrayBuffer>>(async ({ path, speed, sampleRate }) => {
  const { samples } = await loadAudio(path, { sampleRate });
  const result = await changeSpeed(samples, speed, sampleRate);
  return { result, transfer: [result.buffer] };
});
