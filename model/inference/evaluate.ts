import {
  accuracy,
  characterEdits,
  type EditCounts,
  editsOf,
  type ErrorRate,
  errorRate,
  type Interval,
  wordEdits,
} from "./error_rate.ts";
import type { LoadedModel, TranscribeOptions } from "./loaded_model.ts";

/** An utterance with its reference. */
export interface LabelledUtterance {
  /** Name for error messages. */
  readonly id: string;
  /** One channel at 16 kHz. */
  readonly samples: Float32Array;
  /** Reference transcript, for a CTC model. */
  readonly text?: string;
  /** Reference class, one of the labels of the config, for a classification model. */
  readonly intent?: string;
}

/** Scores of a model on a set of utterances. */
export interface Evaluation {
  /** Number of utterances. */
  readonly utterances: number;
  /** Seconds of audio. */
  readonly seconds: number;
  /** Seconds of inference, without reading and decoding files; with `warmUp` also without compiling shaders. */
  readonly computeSeconds: number;
  /** Compute seconds per second of audio. */
  readonly realTimeFactor: number;
  /** Word error rate with 95 % confidence interval; null for a classification model. */
  readonly wer: ErrorRate | null;
  /** Character error rate, likewise. */
  readonly cer: ErrorRate | null;
  /** Share of utterances whose most probable class is right; null for a CTC model. */
  readonly accuracy: Interval | null;
  /** Word errors in each utterance, in their order; for a classification model 1 where the class is wrong, else 0. */
  readonly errors: readonly number[];
  /** Words of the reference of each utterance, in their order; 1 for a classification model. */
  readonly lengths: readonly number[];
}

/** Limits of a group that is evaluated together, so that utterances of similar length can be batched. */
const [MAX_UTTERANCES, MAX_SAMPLES] = [64, 600 * 16_000];

/** Options of `evaluate`. */
export interface EvaluationOptions<State> extends TranscribeOptions<State> {
  /** Applied to reference and hypothesis before they are compared; default: identity. */
  readonly normalize?: (text: string) => string;
  /** Whether the shortest and the longest utterance of the first group run before the time is taken; default: false. */
  readonly warmUp?: boolean;
  /** Called with every hypothesis. */
  readonly onHypothesis?: (hypothesis: Hypothesis) => void;
}

/** What the model recognises in an utterance. */
export interface Hypothesis {
  /** The utterance. */
  readonly utterance: LabelledUtterance;
  /** Its reference: transcript or class. */
  readonly reference: string;
  /** Transcript, or most probable class. */
  readonly hypothesis: string;
}

/**
 * Evaluates a model on a set of utterances: word and character error rate, or accuracy.
 *
 * @param loaded Model with a CTC or a classification head.
 * @param utterances Audio with references.
 * @param options Decoding, text normalisation, and a callback per hypothesis.
 * @throws {TypeError} If the model has no head, or an utterance lacks the reference that the head needs.
 * @throws {RangeError} If there are no utterances, or one is shorter than a frame.
 */
export async function evaluateUtterances<State>(
  loaded: LoadedModel,
  utterances: AsyncIterable<LabelledUtterance>,
  options: EvaluationOptions<State> = {},
): Promise<Evaluation> {
  const { onHypothesis, normalize = (text) => text, warmUp = false, ...search } = options;
  const head = loaded.model.head === "classify" ? "classify" : "ctc";
  loaded.requireHead(head);
  const words: EditCounts[] = [];
  const characters: EditCounts[] = [];
  const hits: boolean[] = [];
  const hypothesesOf = async (audio: readonly Float32Array[]) => {
    if (head === "classify") return (await loaded.classifyAll(audio)).map(([best]) => best!.label);
    return (await loaded.transcribeAll(audio, search)).map(({ text }) => text);
  };
  let seconds = 0;
  let computeSeconds = 0;
  for await (const group of groupsOf(utterances)) {
    const references = group.map((utterance) => referenceOf(utterance, head));
    const audio = group.map(({ samples }) => samples);
    if (warmUp && seconds === 0) {
      const byLength = audio.toSorted((a, b) => a.length - b.length);
      await hypothesesOf([byLength[0]!, byLength.at(-1)!]);
    }
    const start = performance.now();
    const hypotheses = await hypothesesOf(audio);
    computeSeconds += (performance.now() - start) / 1000;
    seconds += samplesOf(group) / 16_000;
    group.forEach((utterance, i) => {
      const [reference, hypothesis] = [references[i]!, hypotheses[i]!];
      if (head === "ctc") {
        const texts = [normalize(reference), normalize(hypothesis)] as const;
        words.push(wordEdits(...texts));
        characters.push(characterEdits(...texts));
      } else hits.push(hypothesis === reference);
      onHypothesis?.({ utterance, reference, hypothesis });
    });
  }
  const count = words.length + hits.length;
  if (count === 0) throw new RangeError("Cannot evaluate: there are no utterances");
  return {
    utterances: count,
    seconds,
    computeSeconds,
    realTimeFactor: computeSeconds / seconds,
    wer: head === "ctc" ? errorRate(words) : null,
    cer: head === "ctc" ? errorRate(characters) : null,
    accuracy: head === "classify" ? accuracy(hits) : null,
    errors: head === "ctc" ? words.map(editsOf) : hits.map((hit) => hit ? 0 : 1),
    lengths: head === "ctc" ? words.map(({ reference }) => reference) : hits.map(() => 1),
  };
}

const samplesOf = (utterances: readonly LabelledUtterance[]) =>
  utterances.reduce((sum, { samples }) => sum + samples.length, 0);

/** Groups of utterances that are evaluated together, in order. */
async function* groupsOf(
  utterances: AsyncIterable<LabelledUtterance>,
): AsyncGenerator<LabelledUtterance[]> {
  let group: LabelledUtterance[] = [];
  for await (const utterance of utterances) {
    group.push(utterance);
    if (group.length < MAX_UTTERANCES && samplesOf(group) < MAX_SAMPLES) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

/** Transcript or class of an utterance. */
function referenceOf({ id, text, intent }: LabelledUtterance, head: "ctc" | "classify"): string {
  const reference = head === "ctc" ? text : intent;
  if (reference !== undefined) return reference;
  const kind = head === "ctc" ? "a transcript" : "a class";
  throw new TypeError(`Cannot evaluate as every utterance must have ${kind}: ${id} has none`);
}
