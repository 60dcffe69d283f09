// The utterances of a run: to train on, to choose the best weights by, and to report on.

import { listSubsets } from "../data/corpus/corpus.ts";
import { type TimedUtterance, withSeconds } from "../data/corpus/durations.ts";
import {
  type CorpusPart,
  type CorpusSource,
  isOnDisk,
  partOf,
  utterancesFrom,
} from "../data/corpus/load_corpus.ts";
import type { Task } from "../data/corpus/utterance.ts";

/** Where the utterances of a run come from. */
export interface RunSources {
  /** Utterances to train on. */
  readonly train: CorpusSource;
  /**
   * Utterances to choose the best weights by, null for none. Default: the subset `dev` of the corpus that `train` is a part of, if
   * there is one.
   */
  readonly dev?: CorpusSource | null | undefined;
}

/** Where the utterances of a pruning run come from. */
export interface PruneSources extends RunSources {
  /** Utterances to report on. Default: the subset `test` of the corpus, or `dev` if there is none. */
  readonly test?: CorpusSource | undefined;
}

/** A set of utterances. */
export interface RunSubset {
  /** Name of the subset. */
  readonly subset: string;
  readonly utterances: readonly TimedUtterance[];
}

/** The utterances of a training. */
export interface TrainCorpus {
  /** Path of the corpus, or what it is. */
  readonly name: string;
  readonly train: RunSubset;
  /** Null if the run is not evaluated. */
  readonly dev: RunSubset | null;
  readonly notes: readonly string[];
}

/** The utterances of a pruning run. */
export interface PruneCorpus extends TrainCorpus {
  readonly test: RunSubset;
}

/**
 * Lists the utterances of a training.
 *
 * @param sources Where they come from.
 * @param task Task of the run.
 * @throws {Error} If a source is not a corpus, or a file of it is wrong; one line.
 */
export async function openTrainCorpus({ train, dev }: RunSources, task: Task): Promise<TrainCorpus> {
  const notes: string[] = [];
  const onNote = (note: string) => void notes.push(note);
  const opened = await open(train, task, "train", onNote);
  const name = isOnDisk(train) ? partOf(train).path : "utterances of the program";
  const source = dev === undefined ? await devOf(train, task) : dev;
  if (source === undefined) {
    onNote(`${name} has no dev subset: the run is not evaluated, and its last weights are kept`);
  }
  return { name, train: opened, dev: source ? await open(source, task, "dev", onNote) : null, notes };
}

/**
 * Lists the utterances of a pruning run.
 *
 * @param sources Where they come from.
 * @param task Task of the run.
 * @throws {RangeError} If there are none to report on.
 * @throws {Error} As {@linkcode openTrainCorpus}.
 */
export async function openPruneCorpus(sources: PruneSources, task: Task): Promise<PruneCorpus> {
  const corpus = await openTrainCorpus(sources, task);
  const notes = [...corpus.notes];
  const source = sources.test ?? await testOf(sources.train, task);
  if (source) {
    const test = await open(source, task, "test", (note) => notes.push(note));
    return { ...corpus, test, notes };
  }
  if (corpus.dev) return { ...corpus, test: corpus.dev, notes };
  throw new RangeError(
    "Cannot prune as utterances to report on are needed: there is neither `test` nor `dev`",
  );
}

async function open(
  source: CorpusSource,
  task: Task,
  subset: string,
  onNote: (note: string) => void,
): Promise<RunSubset> {
  const utterances = await withSeconds(await utterancesFrom(source, task, { subset, onNote }));
  return { subset: isOnDisk(source) ? partOf(source).subset ?? subset : subset, utterances };
}

/** The dev subset of the corpus that the training subset is a part of; undefined if there is none. */
async function devOf(train: CorpusSource, task: Task): Promise<CorpusPart | undefined> {
  if (!isOnDisk(train)) return undefined;
  const part = partOf(train);
  const subsets = await listSubsets(part.path, { task });
  return subsets.some((name) => name.startsWith("dev")) ? { ...part, subset: "dev" } : undefined;
}

/** The test subset of the corpus, or its dev subset if that is all it has; undefined without a corpus on disk. */
async function testOf(train: CorpusSource, task: Task): Promise<CorpusPart | undefined> {
  if (!isOnDisk(train)) return undefined;
  const part = partOf(train);
  const subsets = await listSubsets(part.path, { task });
  const has = (start: string) => subsets.some((name) => name.startsWith(start));
  return { ...part, subset: has("test") || !has("dev") ? "test" : "dev" };
}
