// The utterances of a run, and their batches.

import { SPEEDS } from "../data/batching/augment.ts";
import { type Batches, openBatches } from "../data/batching/batches.ts";
import { type CorpusOptions, listSubsets, openCorpus } from "../data/corpus/corpus.ts";
import { type TimedUtterance, withSeconds } from "../data/corpus/durations.ts";
import type { Task, Utterance } from "../data/corpus/utterance.ts";
import { framesOf } from "../model/speech_model.ts";
import { corpusPass, corpusSource, type CorpusSourceOptions } from "./corpus_source.ts";
import type { BatchSource, MicroBatch } from "./micro_batch.ts";
import type { CommonSettings } from "./settings.ts";

/** How much of a corpus is read, and whether odd rows are refused. */
export type Reading = Pick<CorpusOptions, "limit" | "strict">;

/** The utterances of a run. */
export interface TrainUtterances {
  /** Folder of the corpus. */
  readonly folder: string;
  readonly train: readonly TimedUtterance[];
  /** Utterances to evaluate on; null without a dev subset. */
  readonly dev: readonly TimedUtterance[] | null;
  readonly notes: readonly string[];
}

/**
 * Lists the utterances to train and to evaluate on.
 *
 * @param folder the corpus
 * @param task task of the run
 * @param subset training subset
 * @param devSubset subset to evaluate on; `none` for none, undefined for `dev` if there is one
 * @param reading number of utterances of each subset, and whether odd ones are refused
 * @throws {Error} it is not a corpus, or a file of it is wrong; one line
 */
export async function openUtterances(
  folder: string,
  task: Task,
  subset: string,
  devSubset: string | undefined,
  { limit, strict }: Reading = {},
): Promise<TrainUtterances> {
  const notes: string[] = [];
  const onNote = (note: string) => void notes.push(note);
  const options = { task, limit, strict, onNote };
  const timed = async (name: string) => await withSeconds(await openCorpus(folder, name, options));
  const train = await timed(subset);
  if (devSubset === "none") return { folder, train, dev: null, notes };
  const subsets = await listSubsets(folder, { task });
  const hasDev = subsets.some((name) => name.startsWith("dev"));
  if (devSubset === undefined && !hasDev) {
    const note = `${folder} has no dev subset: the run is not evaluated, and its last weights are kept`;
    return { folder, train, dev: null, notes: [...notes, note] };
  }
  return { folder, train, dev: await timed(devSubset ?? "dev"), notes };
}

/**
 * Lists the utterances of the test subset.
 *
 * @param dir the corpus
 * @param task task of the run
 * @param subset subset; undefined for `test`, or `dev` where there is no test
 * @param reading as of {@linkcode openUtterances}
 * @returns the utterances, the name of their subset, and notes
 * @throws {Error} there is none, or a file of it is wrong; one line
 */
export async function openTest(
  dir: string,
  task: Task,
  subset: string | undefined,
  { limit, strict }: Reading = {},
): Promise<{ subset: string; utterances: readonly TimedUtterance[]; notes: readonly string[] }> {
  const subsets = await listSubsets(dir, { task });
  const hasTest = subsets.some((name) => name.startsWith("test"));
  const name = subset ?? (hasTest || !subsets.some((name) => name.startsWith("dev")) ? "test" : "dev");
  const notes: string[] = [];
  const onNote = (note: string) => void notes.push(note);
  const utterances = await openCorpus(dir, name, { task, limit, strict, onNote });
  return { subset: name, utterances: await withSeconds(utterances), notes };
}

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
 * @param utterances training and dev subsets
 * @param options model, batch size and augmentation
 * @throws {Error} a file is missing or broken, or an utterance is shorter than a frame; one line
 */
export async function openFeed(utterances: TrainUtterances, options: FeedOptions): Promise<TrainFeed> {
  const { batchSeconds, gradAccumSteps, seed, speedPerturbation, noise, join } = options.settings;
  const seconds = batchSeconds / gradAccumSteps;
  const sourceOptions = { ...options, seed };
  const train = await openBatches(utterances.train, {
    seconds,
    seed,
    longer: "alone",
    ...speedPerturbation && { speeds: SPEEDS },
    ...noise > 0 && { noise: { probability: noise, snr: [5, 25] } },
    ...join > 0 && { join: { seconds: join } },
  });
  let dev: Batches | null = null;
  if (utterances.dev) {
    const sorted = utterances.dev.toSorted((a, b) => a.seconds - b.seconds);
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

/** Refuses utterances shorter than a frame; a note counts those whose text does not fit into their frames. */
function checkLengths(
  utterances: readonly (Utterance & { readonly seconds: number })[],
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
