// A worker that decodes audio files to check them.
import { decodeAudio } from "../audio/audio.ts";
import { serveJobs } from "../worker_pool.ts";
import { fileError } from "../../files/atomic_file.ts";

/** Measurements of a decoded audio file. */
export interface UtteranceCheck {
  readonly seconds: number;
  /** Sample rate of the file, Hz. */
  readonly sampleRate: number;
  /** Largest absolute value of a sample. */
  readonly peak: number;
}

serveJobs<string, UtteranceCheck>(async (path) => {
  const bytes = await Deno.readFile(path).catch((error) => {
    throw fileError("read", path, error);
  });
  const { samples, sampleRate } = await decodeAudio(bytes, path);
  let peak = 0;
  for (const x of samples) peak = Math.max(peak, Math.abs(x));
  return { result: { seconds: samples.length / sampleRate, sampleRate, peak } };
});
