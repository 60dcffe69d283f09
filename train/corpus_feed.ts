// The batches of a run.

import { SPEEDS } from "../data/batching/augment.ts";
import { type Batches, openBatches } from "../data/batching/batches.ts";
import type { TimedUtterance } from "../data/corpus/durations.ts";
import type { Utterance } from "../data/corpus/utterance.ts";
import { framesOf } from "../model/speech_model.ts";
import { corpusPass, corpusSource, type CorpusSourceOptions, type TargetOf } from "./corpus_source.ts";
import type { BatchSource, MicroBatch } from "./micro_batch.ts";
import type { TrainCorpus } from "./run_corpus.ts";
import type { CommonSettings } from "./settings.ts";

/** How utterances become batches. */
export interface FeedOptions extends Omit<CorpusSourceOptions, "seed"> {
  /** Batch size, seed and augmentation. */
  readonly settings: CommonSettings;
}

/** Batches to train and to evaluate on. */
export interface TrainFeed extends Disposable {
  readonly source: BatchSource;
  /** One pass over the dev subset; null without one. */
  readonly dev: (() => AsyncIterable<MicroBatch>) | null;
  readonly notes: readonly string[];
}

/**
 * Opens batches of utterances. An utterance that is longer than a batch is a batch by itself.
 *
 * @param corpus training and dev subsets
 * @param options model, batch size and augmentation
 * @throws {Error} a file is missing or broken, or an utterance is shorter than a frame; one line
 */
export async function openFeed(
  corpus: Pick<TrainCorpus, "train" | "dev">,
  options: FeedOptions,
): Promise<TrainFeed> {
  const { batchSeconds, gradAccumSteps, seed, speedPerturbation, noise, join } = options.settings;
  const seconds = batchSeconds / gradAccumSteps;
  const sourceOptions = { ...options, seed };
  const train = await openBatches(corpus.train.utterances, {
    seconds,
    seed,
    longer: "alone",
    ...speedPerturbation && { speeds: SPEEDS },
    ...noise > 0 && { noise: { probability: noise, snr: [5, 25] } },
    ...join > 0 && { join: { seconds: join } },
  });
  let dev: Batches | null = null;
  if (corpus.dev) {
    requireReferences("dev", corpus.dev.utterances, options.targetOf);
    const sorted = corpus.dev.utterances.toSorted((a, b) => a.seconds - b.seconds);
    dev = await openBatches(sorted, { seconds, seed, shuffle: false, longer: "alone", threads: 1 });
  }
  const slowest = speedPerturbation ? Math.max(...SPEEDS) : 1;
  const notes = checkLengths([...train.utterances, ...dev?.utterances ?? []], options, slowest);
  return {
    source: corpusSource(train, sourceOptions),
    dev: dev && (() => corpusPass(dev, sourceOptions)),
    notes,
    [Symbol.dispose]: () => [train, dev].forEach((batches) => batches?.close()),
  };
}

/**
 * Checks before a run that utterances have an error rate or accuracy.
 *
 * @param subset name of what they are, for the error
 * @param utterances the utterances
 * @param targetOf their targets
 * @throws {RangeError} if all transcripts are empty
 */
export function requireReferences(
  subset: string,
  utterances: readonly Pick<Utterance, "id" | "text" | "intent">[],
  targetOf: TargetOf,
): void {
  if (utterances.some(({ id, ...known }) => targetOf({ ids: [id], ...known }).reference.trim() !== "")) {
    return;
  }
  throw new RangeError(
    `Cannot evaluate on the ${subset} utterances as some transcript must have words: all ${utterances.length} are empty`,
  );
}

/** Refuses utterances shorter than a frame; a note counts those whose text does not fit into their frames. */
function checkLengths(
  utterances: readonly TimedUtterance[],
  { config, preprocessor, targetOf }: FeedOptions,
  speed: number,
): string[] {
  let tooShort = 0;
  for (const { id, audio, seconds, ...known } of utterances) {
    const frames = framesOf(config, Math.floor(seconds * preprocessor.sampling_rate / speed));
    if (frames < 1) {
      throw new RangeError(`Cannot train as an utterance must be one frame long: ${audio} is not`);
    }
    const { labels } = targetOf({ ids: [id], ...known });
    const needed = labels.length + labels.filter((label, i) => label === labels[i - 1]).length;
    if (needed > frames) tooShort++;
  }
  return tooShort === 0
    ? []
    : [`${tooShort} utterances have more text than frames, and add nothing to training`];
}
