import { addNoise, type NoiseOptions } from "./augment.ts";
import { planEpoch, type PlannedUtterance, type PlanOptions } from "./batch_plan.ts";
import { type LoaderOptions, UtteranceLoader } from "./utterance_loader.ts";
import type { Utterance } from "../corpus/utterance.ts";
import { type TimedUtterance, withSeconds } from "../corpus/durations.ts";
import { prefetch } from "./prefetch.ts";
import { concat } from "../audio/resample.ts";

/** How batches are made. */
export interface BatchOptions extends PlanOptions, LoaderOptions {
  /** Noise to add; none unless given. */
  readonly noise?: NoiseOptions;
  /** Batches that are made ahead; 3 unless given. */
  readonly ahead?: number;
}

/** A place in the sequence of batches; what a run stores to go on later. */
export interface BatchPosition {
  /** Passes over the corpus that are complete. */
  readonly epoch: number;
  /** Batches of this pass that are done. */
  readonly batch: number;
}

/** A clip with what is said in it. */
export interface DecodedUtterance {
  /** Names of the utterances that it is made of. */
  readonly ids: readonly string[];
  /** Name that the same samples have in every epoch; null for those that noise or joining made. */
  readonly key: string | null;
  /** [S] at the sample rate of the batches. Not to be changed: the cache may hold the same array. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Transcript as the corpus writes it; those of joined utterances have a space between. */
  readonly text?: string;
  /** Class. */
  readonly intent?: string;
  /** Who speaks, where one person does. */
  readonly speaker?: string;
}

/** Clips to be computed together. */
export interface UtteranceBatch {
  /** B clips. */
  readonly clips: readonly DecodedUtterance[];
  /** Audio in them, in seconds. */
  readonly seconds: number;
  /** The same with padding to the longest. */
  readonly paddedSeconds: number;
  /** Where it is in the sequence. */
  readonly position: BatchPosition;
  /** Where to go on once it is done. */
  readonly next: BatchPosition;
}

/**
 * Opens clips for batches; the lengths that the corpus does not tell are read from the files.
 *
 * @param utterances Clips, at least one.
 * @param options How batches are made.
 * @throws {RangeError} If there is no clip, one is longer than a batch, or joined clips would have classes.
 * @throws {SyntaxError | Error} If a file is missing or broken; one line that names it.
 *
 * @example
 * ```ts ignore
 * const utterances = await openCorpus("LibriSpeech", "train-clean-100", { task: "asr" });
 * using batches = await openBatches(utterances, { seconds: 60, seed: 1 });
 * for await (const { clips, next } of batches.from({ epoch: 0, batch: 0 })) {
 *   console.log(clips.length, next);
 * }
 * ```
 */
export async function openBatches(utterances: readonly Utterance[], options: BatchOptions): Promise<Batches> {
  if (utterances.length === 0) {
    throw new RangeError("Cannot make batches as there must be clips: there are none");
  }
  if (options.join && utterances.some(({ text }) => text === undefined)) {
    throw new RangeError("Cannot join clips as each must have a transcript: one has none");
  }
  return new Batches(await withSeconds(utterances), options);
}

/** The batches of a corpus, epoch after epoch; the same for the same clips and options. */
export class Batches {
  readonly #utterances: readonly TimedUtterance[];
  readonly #options: BatchOptions;
  readonly #loader: UtteranceLoader;
  readonly #rate: number;
  #plan: { epoch: number; batches: PlannedUtterance[][] };

  /** Made by {@linkcode openBatches}. */
  constructor(utterances: readonly TimedUtterance[], options: BatchOptions) {
    this.#utterances = utterances;
    this.#options = options;
    this.#rate = options.sampleRate ?? 16_000;
    this.#loader = new UtteranceLoader({ ...options, sampleRate: this.#rate });
    this.#plan = { epoch: 0, batches: planEpoch(utterances, options, 0) };
  }

  /** Clips of the corpus with their lengths. */
  get utterances(): readonly TimedUtterance[] {
    return this.#utterances;
  }

  /** Number of batches of an epoch; it differs between epochs where speeds are drawn or clips are shuffled. */
  count(epoch: number): number {
    return this.#planOf(epoch).length;
  }

  /** Bytes of decoded clips that are kept when so many seconds of audio have been used. */
  keptBytes(seconds: number): number {
    const { speeds = [1] } = this.#options;
    const corpus = this.#utterances.reduce((sum, { seconds }) => sum + seconds, 0);
    const all = speeds.reduce((sum, speed) => sum + corpus / speed, 0);
    return this.#loader.keptBytes(Math.min(seconds, all));
  }

  /**
   * The batches from a place on. While one is in use the next ones are decoded.
   *
   * @param position Where to begin; `next` of the last batch that is done.
   * @param epochs Epoch to end before; without it there is no end.
   * @throws {SyntaxError | RangeError | Error} If a file is missing or broken; one line that names it.
   */
  from(position: BatchPosition, epochs: number = Infinity): AsyncGenerator<UtteranceBatch> {
    return prefetch(this.#make(position, epochs), this.#options.ahead ?? 3);
  }

  /** Ends the threads; iterators that are not through fail. */
  close(): void {
    this.#loader.close();
  }

  /** The same as `close`. */
  [Symbol.dispose](): void {
    this.close();
  }

  async *#make(start: BatchPosition, epochs: number): AsyncGenerator<UtteranceBatch> {
    let { epoch, batch } = start;
    for (; epoch < epochs; epoch++, batch = 0) {
      const batches = this.#planOf(epoch);
      if (batches.length === 0) {
        const { seconds } = this.#options;
        throw new RangeError(`Cannot make batches as a clip must fit into ${seconds} s: all are longer`);
      }
      for (; batch < batches.length; batch++) {
        const first = batches.slice(0, batch).reduce((sum, clips) => sum + clips.length, 0);
        const clips = await Promise.all(batches[batch]!.map((clip, i) => this.#clip(clip, first + i, epoch)));
        const lengths = clips.map(({ samples }) => samples.length / this.#rate);
        yield {
          clips,
          seconds: lengths.reduce((sum, seconds) => sum + seconds),
          paddedSeconds: Math.max(...lengths) * clips.length,
          position: { epoch, batch },
          next: batch + 1 < batches.length ? { epoch, batch: batch + 1 } : { epoch: epoch + 1, batch: 0 },
        };
      }
    }
  }

  #planOf(epoch: number): PlannedUtterance[][] {
    if (this.#plan.epoch !== epoch) {
      this.#plan = { epoch, batches: planEpoch(this.#utterances, this.#options, epoch) };
    }
    return this.#plan.batches;
  }

  /** @param index Place of the clip in the epoch, which its noise depends on. */
  async #clip({ parts }: PlannedUtterance, index: number, epoch: number): Promise<DecodedUtterance> {
    const { seed, noise, join } = this.#options;
    const utterances = parts.map((part) => this.#utterances[part.index]!);
    const sounds = await Promise.all(parts.map(({ speed }, i) => this.#loader.load(utterances[i]!, speed)));
    const gap = new Float32Array(Math.round((join?.gap ?? 0.1) * this.#rate));
    const whole = sounds.length === 1
      ? sounds[0]!
      : concat(sounds.flatMap((sound, i) => i === 0 ? [sound] : [gap, sound]));
    const samples = noise ? addNoise(whole, noise, index, { seed, purpose: "noise", step: epoch }) : whole;
    const [{ text, intent, speaker }] = utterances as [Utterance];
    const one = utterances.length === 1;
    return {
      ids: utterances.map(({ id }) => id),
      key: one && samples === whole ? `${utterances[0]!.id}@${parts[0]!.speed}` : null,
      samples,
      ...text !== undefined && { text: utterances.map(({ text }) => text).join(" ") },
      ...one && intent !== undefined && { intent },
      ...speaker !== undefined && utterances.every((other) => other.speaker === speaker) && { speaker },
    };
  }
}
