// Batches of decoded utterances, epoch after epoch, which resume at any position.
import { addNoise, type NoiseOptions } from "./augment.ts";
import { planEpoch, type PlannedUtterance, type PlanOptions } from "./batch_plan.ts";
import { type LoaderOptions, UtteranceLoader } from "./utterance_loader.ts";
import type { Utterance } from "../corpus/utterance.ts";
import { type TimedUtterance, withSeconds } from "../corpus/durations.ts";
import { prefetch } from "./prefetch.ts";
import { concat } from "../audio/resample.ts";

/** Options of {@linkcode openBatches}. */
export interface BatchOptions extends PlanOptions, LoaderOptions {
  /** Noise to add; default none. */
  readonly noise?: NoiseOptions;
  /** Number of batches that are decoded ahead; default 3. */
  readonly ahead?: number;
}

/** A position in the sequence of batches, which a run stores to resume. */
export interface BatchPosition {
  /** Number of complete epochs. */
  readonly epoch: number;
  /** Number of batches of this epoch that are done. */
  readonly batch: number;
}

/** A decoded utterance with its labels. */
export interface DecodedUtterance {
  /** Ids of the utterances that are joined in it. */
  readonly ids: readonly string[];
  /** Key that identifies these samples in every epoch; null if noise was added or utterances were joined. */
  readonly key: string | null;
  /** [S] at the sample rate of the batches. Must not be modified: the cache may hold the same array. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Transcript as the corpus writes it; those of joined utterances are separated by a space. */
  readonly text?: string;
  /** Class. */
  readonly intent?: string;
  /** Speaker, if there is only one. */
  readonly speaker?: string;
}

/** Utterances that are processed together. */
export interface UtteranceBatch {
  /** Number of utterances, B. */
  readonly count: number;
  /** B utterances; none for a batch that another process computes. */
  readonly utterances: readonly DecodedUtterance[];
  /** Duration of the audio in seconds. */
  readonly seconds: number;
  /** Duration with padding to the longest. */
  readonly paddedSeconds: number;
  /** Position in the sequence. */
  readonly position: BatchPosition;
  /** Position of the next batch. */
  readonly next: BatchPosition;
}

/**
 * Opens the batches of a corpus. Durations that the corpus does not state are read from the files.
 *
 * @param utterances Utterances, at least one.
 * @param options Plan, loading and noise.
 * @throws {RangeError} If there are no utterances, one is longer than a batch, or one to join has no transcript.
 * @throws {SyntaxError | Error} If a file is missing or broken; one line that names the path.
 *
 * @example
 * ```ts ignore
 * const utterances = await openCorpus("LibriSpeech", "train-clean-100", { task: "asr" });
 * using batches = await openBatches(utterances, { seconds: 60, seed: 1 });
 * for await (const { utterances, next } of batches.from({ epoch: 0, batch: 0 })) {
 *   console.log(utterances.length, next);
 * }
 * ```
 */
export async function openBatches(utterances: readonly Utterance[], options: BatchOptions): Promise<Batches> {
  if (utterances.length === 0) {
    throw new RangeError("Cannot make batches as there must be utterances: there are none");
  }
  if (options.join && utterances.some(({ text }) => text === undefined)) {
    throw new RangeError("Cannot join utterances as each must have a transcript: one has none");
  }
  return new Batches(await withSeconds(utterances), options);
}

/** The batches of a corpus, epoch after epoch; deterministic for given utterances and options. */
export class Batches {
  readonly #utterances: readonly TimedUtterance[];
  readonly #options: BatchOptions;
  readonly #loader: UtteranceLoader;
  readonly #rate: number;
  #plan: { epoch: number; batches: PlannedUtterance[][] };

  /** Called by {@linkcode openBatches}. */
  constructor(utterances: readonly TimedUtterance[], options: BatchOptions) {
    this.#utterances = utterances;
    this.#options = options;
    this.#rate = options.sampleRate ?? 16_000;
    this.#loader = new UtteranceLoader({ ...options, sampleRate: this.#rate });
    this.#plan = { epoch: 0, batches: planEpoch(utterances, options, 0) };
  }

  /** Utterances of the corpus with their durations. */
  get utterances(): readonly TimedUtterance[] {
    return this.#utterances;
  }

  /** Number of batches of an epoch, which depends on its speeds and order. */
  count(epoch: number): number {
    return this.#planOf(epoch).length;
  }

  /** Bytes of decoded utterances in the cache after so many seconds of audio. */
  keptBytes(seconds: number): number {
    const { speeds = [1] } = this.#options;
    const corpus = this.#utterances.reduce((sum, { seconds }) => sum + seconds, 0);
    const all = speeds.reduce((sum, speed) => sum + corpus / speed, 0);
    return this.#loader.keptBytes(Math.min(seconds, all));
  }

  /**
   * The batches from a position. While one is in use the next ones are decoded.
   *
   * @param position First batch: `next` of the last batch that is done.
   * @param epochs Number of epochs, counted from epoch 0; default unlimited.
   * @param isOwn Whether to decode the batch that comes so many batches after the first; default: all are decoded.
   * @throws {SyntaxError | RangeError | Error} If a file is missing or broken; one line that names the path.
   */
  from(
    position: BatchPosition,
    epochs: number = Infinity,
    isOwn: (index: number) => boolean = () => true,
  ): AsyncGenerator<UtteranceBatch> {
    return prefetch(this.#generate(position, epochs, isOwn), this.#options.ahead ?? 3);
  }

  /** Stops the decoding threads; iterators that are not finished fail. */
  close(): void {
    this.#loader.close();
  }

  /** Calls `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  async *#generate(
    start: BatchPosition,
    epochs: number,
    isOwn: (index: number) => boolean,
  ): AsyncGenerator<UtteranceBatch> {
    let { epoch, batch } = start;
    for (let index = 0; epoch < epochs; epoch++, batch = 0) {
      const batches = this.#planOf(epoch);
      if (batches.length === 0) {
        const { seconds } = this.#options;
        throw new RangeError(
          `Cannot make batches as an utterance must fit into ${seconds} s: all are longer`,
        );
      }
      for (; batch < batches.length; batch++, index++) {
        const next = batch + 1 < batches.length
          ? { epoch, batch: batch + 1 }
          : { epoch: epoch + 1, batch: 0 };
        yield { ...await this.#batch(batches, batch, epoch, isOwn(index)), position: { epoch, batch }, next };
      }
    }
  }

  /** A batch of the plan, decoded, or with its size alone. */
  async #batch(batches: readonly PlannedUtterance[][], batch: number, epoch: number, isOwn: boolean) {
    const planned = batches[batch]!;
    const first = batches.slice(0, batch).reduce((sum, planned) => sum + planned.length, 0);
    const utterances = isOwn
      ? await Promise.all(planned.map((utterance, i) => this.#decode(utterance, first + i, epoch)))
      : [];
    const lengths = isOwn
      ? utterances.map(({ samples }) => samples.length / this.#rate)
      : planned.map(({ seconds }) => seconds);
    return {
      count: planned.length,
      utterances,
      seconds: lengths.reduce((sum, seconds) => sum + seconds),
      paddedSeconds: Math.max(...lengths) * lengths.length,
    };
  }

  #planOf(epoch: number): PlannedUtterance[][] {
    if (this.#plan.epoch !== epoch) {
      this.#plan = { epoch, batches: planEpoch(this.#utterances, this.#options, epoch) };
    }
    return this.#plan.batches;
  }

  /** @param index Position of the utterance in the epoch, which its noise depends on. */
  async #decode({ parts }: PlannedUtterance, index: number, epoch: number): Promise<DecodedUtterance> {
    const { seed, noise, join } = this.#options;
    const utterances = parts.map((part) => this.#utterances[part.index]!);
    const sounds = await Promise.all(parts.map(({ speed }, i) => this.#loader.load(utterances[i]!, speed)));
    const gap = new Float32Array(Math.round((join?.gap ?? 0.1) * this.#rate));
    const joined = sounds.length === 1
      ? sounds[0]!
      : concat(sounds.flatMap((sound, i) => i === 0 ? [sound] : [gap, sound]));
    const samples = noise ? addNoise(joined, noise, index, { seed, purpose: "noise", step: epoch }) : joined;
    const [{ text, intent, speaker }] = utterances as [Utterance];
    const single = utterances.length === 1;
    return {
      ids: utterances.map(({ id }) => id),
      key: single && samples === joined ? `${utterances[0]!.id}@${parts[0]!.speed}` : null,
      samples,
      ...text !== undefined && { text: utterances.map(({ text }) => text).join(" ") },
      ...single && intent !== undefined && { intent },
      ...speaker !== undefined && utterances.every((other) => other.speaker === speaker) && { speaker },
    };
  }
}
