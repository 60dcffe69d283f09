// A thread that decodes clips.
import { loadAudio } from "../audio/audio.ts";
import { changeSpeed } from "./augment.ts";
import { serveJobs } from "../worker_pool.ts";

/** A file, and the speed to play it at. */
export interface DecodeJob {
  readonly path: string;
  readonly speed: number;
  /** Hz. */
  readonly sampleRate: number;
}

// Answers with [S] samples.
serveJobs<DecodeJob, Float32Array<ArrayBuffer>>(async ({ path, speed, sampleRate }) => {
  const { samples } = await loadAudio(path, { sampleRate });
  const result = await changeSpeed(samples, speed, sampleRate);
  return { result, transfer: [result.buffer] };
});
