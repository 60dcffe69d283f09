// Utterances that a program gives: in memory, or as paths.
import { decodeBytes } from "../audio/audio.ts";
import { pathOf } from "../../files/path_of.ts";
import { concat, createResampler } from "../audio/resample.ts";
import { escaped } from "./lines.ts";
import type { Task, Utterance } from "./utterance.ts";

/** Samples of one channel with their rate. */
export interface AudioSamples {
  /** [S] samples, ±1 at full scale. */
  readonly samples: Float32Array;
  /** Samples a second, Hz. */
  readonly sampleRate: number;
}

/** Audio: samples of one channel at 16 kHz or at a stated rate, the bytes of an audio file, or the path of one. */
export type ExampleAudio = Float32Array | AudioSamples | Uint8Array | ArrayBuffer | string | URL;

/** An utterance with its label, for training or evaluation. */
export interface SpeechExample {
  /** Its audio. */
  readonly audio: ExampleAudio;
  /** Transcript, for speech recognition. */
  readonly text?: string | undefined;
  /** Class, for intents. */
  readonly intent?: string | undefined;
  /** Speaker. */
  readonly speaker?: string | undefined;
  /** Unique name; default: its number, from 0. */
  readonly id?: string | undefined;
}

/** Sample rate of the models, Hz. */
const RATE = 16_000;

/**
 * Reads examples to their end and keeps their audio in memory, at 16 kHz; that of paths stays on disk.
 *
 * @param examples Examples, or utterances of a corpus.
 * @param task Task, whose label each must have.
 * @param name Name of the set, for messages.
 * @throws {TypeError} If an example has no audio or not the label of the task, or an id is not unique.
 * @throws {SyntaxError | RangeError} If there are no examples, or audio is broken or not finite.
 */
export async function utterancesOf(
  examples: Iterable<SpeechExample> | AsyncIterable<SpeechExample>,
  task: Task,
  name: string,
): Promise<Utterance[]> {
  const utterances: Utterance[] = [];
  const ids = new Set<string>();
  const label = task === "asr" ? "text" : "intent";
  for await (const example of examples) {
    const { id = String(utterances.length), audio, ...rest } = example;
    const refuse = (rule: string, found: string) => {
      throw new TypeError(`Cannot use ${name} as ${rule}: ${escaped(id)} ${found}`);
    };
    if (typeof example[label] !== "string") {
      refuse(`every utterance must have ${task === "asr" ? "a text" : "an intent"}`, "has none");
    }
    if (ids.has(id)) refuse("ids must be unique", "occurs twice");
    ids.add(id);
    utterances.push({
      ...rest as Omit<Utterance, "id" | "audio">,
      id,
      ...await place(audio, `${name} ${id}`),
    });
  }
  if (utterances.length > 0) return utterances;
  throw new RangeError(`Cannot use ${name} as it must have utterances: it has none`);
}

/** Where audio is: its path, or its samples in memory. */
async function place(
  audio: ExampleAudio,
  name: string,
): Promise<Pick<Utterance, "audio" | "samples" | "seconds">> {
  if (typeof audio === "string" || audio instanceof URL) return { audio: pathOf(audio) };
  const samples = await samplesOf(audio, name);
  return { audio: name, samples, seconds: samples.length / RATE };
}

/**
 * The samples of audio in memory, at 16 kHz.
 *
 * @throws {TypeError} If it is neither samples nor bytes.
 * @throws {SyntaxError | RangeError} If it is broken or not finite.
 */
async function samplesOf(
  audio: Exclude<ExampleAudio, string | URL>,
  name: string,
): Promise<Float32Array<ArrayBuffer>> {
  if (audio instanceof ArrayBuffer || audio instanceof Uint8Array) {
    return (await decodeBytes(new Uint8Array(audio), name, { sampleRate: RATE })).samples;
  }
  const { samples, sampleRate } = audio instanceof Float32Array
    ? { samples: audio, sampleRate: RATE }
    : audio;
  if (!(samples instanceof Float32Array)) {
    throw new TypeError(
      `Cannot use ${name} as audio must be samples, bytes or a path: it is ${typeof audio}`,
    );
  }
  const bad = samples.findIndex((sample) => !Number.isFinite(sample));
  if (bad >= 0) {
    throw new RangeError(`Cannot use ${name} as samples must be finite: sample ${bad} is ${samples[bad]}`);
  }
  if (sampleRate === RATE) return samples as Float32Array<ArrayBuffer>;
  const resampler = await createResampler(sampleRate, RATE);
  try {
    return concat([resampler.push(samples), resampler.finish()]);
  } finally {
    resampler.close();
  }
}
