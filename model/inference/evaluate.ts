import {
  accuracy,
  characterEdits,
  type EditCounts,
  type ErrorRate,
  errorRate,
  type Interval,
  wordEdits,
} from "./error_rate.ts";
import type { LoadedModel, TranscribeOptions } from "./load_model.ts";

/** A clip with what should be heard in it. */
export interface LabelledUtterance {
  /** Name for messages. */
  readonly id: string;
  /** One channel at 16 kHz. */
  readonly samples: Float32Array;
  /** What is said; for a CTC model. */
  readonly text?: string;
  /** Class, one of the config's labels; for a classification model. */
  readonly intent?: string;
}

/** What a model does on a set of clips. */
export interface Evaluation {
  /** Clips. */
  readonly clips: number;
  /** Seconds of audio. */
  readonly seconds: number;
  /** Seconds that the model took, reading and decoding of files left out. */
  readonly computeSeconds: number;
  /** Compute seconds per second of audio. */
  readonly realTimeFactor: number;
  /** Word error rate with its 95 % interval; null for a classification model. */
  readonly wer: ErrorRate | null;
  /** Character error rate. */
  readonly cer: ErrorRate | null;
  /** Share of clips whose most probable class is the right one; null for a CTC model. */
  readonly accuracy: Interval | null;
}

/** Clips, and samples of them, that are evaluated together, so that those of like length can be heard together. */
const [MOST_CLIPS, MOST_SAMPLES] = [64, 600 * 16_000];

/** How {@linkcode evaluate} compares. */
export interface EvaluateOptions<State> extends TranscribeOptions<State> {
  /** Applied to what is said and to what was heard before they are compared; nothing unless given. */
  readonly normalize?: (text: string) => string;
  /** Is told of every clip. */
  readonly onClip?: (heard: Hypothesis) => void;
}

/** What the model made of a clip. */
export interface Hypothesis {
  /** The clip. */
  readonly clip: LabelledUtterance;
  /** Text, or most probable class. */
  readonly found: string;
}

/**
 * Evaluates a model on clips, short ones heard several at a time, each as if it were alone.
 *
 * @param loaded Model with a CTC or a classification head.
 * @param clips What to run it on.
 * @param options How to search and compare texts, and who is told of each clip.
 * @throws {TypeError} If the model has no head, or a clip lacks what the head is held to.
 * @throws {RangeError} If there is no clip, or one is shorter than a frame.
 * @example
 * ```ts ignore
 * import { evaluate, loadModel } from "../../mod.ts";
 * import { loadAudio } from "../../data/audio/audio.ts";
 *
 * async function* clips() {
 *   const { samples } = await loadAudio("1.flac", { sampleRate: 16_000 });
 *   yield { id: "1", samples, text: "turn on the light" };
 * }
 * const { wer } = await evaluate(await loadModel("pruned"), clips());
 * console.log(wer?.value);
 * ```
 */
export async function evaluate<State>(
  loaded: LoadedModel,
  clips: AsyncIterable<LabelledUtterance>,
  options: EvaluateOptions<State> = {},
): Promise<Evaluation> {
  const { onClip, normalize = (text) => text, ...search } = options;
  const head = loaded.model.head === "classify" ? "classify" : "ctc";
  loaded.requireHead(head);
  const words: EditCounts[] = [];
  const characters: EditCounts[] = [];
  const hits: boolean[] = [];
  let seconds = 0;
  let computeSeconds = 0;
  for await (const some of together(clips)) {
    const wanted = some.map((clip) => referenceOf(clip, head));
    const audio = some.map(({ samples }) => samples);
    const start = performance.now();
    const found = head === "ctc"
      ? (await loaded.transcribeAll(audio, search)).map(({ text }) => text)
      : (await loaded.classifyAll(audio)).map(([best]) => best!.label);
    computeSeconds += (performance.now() - start) / 1000;
    seconds += samplesOf(some) / 16_000;
    some.forEach((clip, i) => {
      if (head === "ctc") {
        const [said, heard] = [normalize(wanted[i]!), normalize(found[i]!)] as const;
        words.push(wordEdits(said, heard));
        characters.push(characterEdits(said, heard));
      } else hits.push(found[i] === wanted[i]);
      onClip?.({ clip, found: found[i]! });
    });
  }
  const count = words.length + hits.length;
  if (count === 0) throw new RangeError("Cannot evaluate as there must be clips: there is none");
  return {
    clips: count,
    seconds,
    computeSeconds,
    realTimeFactor: computeSeconds / seconds,
    wer: head === "ctc" ? errorRate(words) : null,
    cer: head === "ctc" ? errorRate(characters) : null,
    accuracy: head === "classify" ? accuracy(hits) : null,
  };
}

const samplesOf = (clips: readonly LabelledUtterance[]) =>
  clips.reduce((sum, { samples }) => sum + samples.length, 0);

/** Clips that are evaluated together, in their order. */
async function* together(clips: AsyncIterable<LabelledUtterance>): AsyncGenerator<LabelledUtterance[]> {
  let some: LabelledUtterance[] = [];
  for await (const clip of clips) {
    some.push(clip);
    if (some.length < MOST_CLIPS && samplesOf(some) < MOST_SAMPLES) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/** What should be heard in a clip. */
function referenceOf({ id, text, intent }: LabelledUtterance, head: "ctc" | "classify"): string {
  const wanted = head === "ctc" ? text : intent;
  if (wanted !== undefined) return wanted;
  const what = head === "ctc" ? "a transcript" : "a class";
  throw new TypeError(`Cannot evaluate as every clip must have ${what}: ${id} has none`);
}
