// A worker that synthesises sentences into files.
import { encodeFlac } from "../audio/flac_write.ts";
import { encodeWav } from "../audio/wav_write.ts";
import { serveJobs } from "../worker_pool.ts";
import { writeFileAtomic } from "../../files/atomic_file.ts";
import { loadFlite, type Speak, SPEECH_RATE } from "./flite.ts";
import type { Voice } from "./plan.ts";

/** A sentence, and the path of its audio file, which ends in .wav or .flac. */
export interface SpeechJob {
  readonly text: string;
  readonly voice: Voice;
  readonly path: string;
}

let flite: Promise<Speak> | undefined;

// The result is the duration in seconds.
serveJobs<SpeechJob, number>(async ({ text, voice, path }) => {
  const speak = await (flite ??= loadFlite());
  const samples = await speak(text, voice);
  const encode = path.endsWith(".flac") ? encodeFlac : encodeWav;
  await writeFileAtomic(path, await encode(samples, SPEECH_RATE), { flush: false });
  return { result: samples.length / SPEECH_RATE };
});
