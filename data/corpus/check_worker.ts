// A thread that decodes clips to see whether they are sound.
import { decodeAudio } from "../audio/audio.ts";
import { serveJobs } from "../worker_pool.ts";
import { fileError } from "../../files/atomic_file.ts";

/** What a clip is found to be. */
export interface UtteranceCheck {
  readonly seconds: number;
  /** Of the file, Hz. */
  readonly sampleRate: number;
  /** Largest magnitude of a sample. */
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
