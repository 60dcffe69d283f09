import { openCorpus } from "./corpus.ts";
import { pathOf } from "../../files/path_of.ts";
import { type SpeechExample, utterancesOf } from "./examples.ts";
import type { Task, Utterance } from "./utterance.ts";

/** Options of {@linkcode loadCorpus}. */
export interface LoadCorpusOptions {
  /** Task, whose label each utterance must have; default: `asr`. */
  readonly task?: Task | undefined;
  /** Whether utterances without audio or label and repeated ones are errors; default: a note counts them. */
  readonly strict?: boolean | undefined;
  /** Number of utterances, the first; default: all. */
  readonly limit?: number | undefined;
  /** Called with notes on the corpus, a sentence each. */
  readonly onNote?: ((note: string) => void) | undefined;
  /** Name of a subset, or several separated by commas; default: `train`. */
  readonly subset?: string | undefined;
}

/** A subset of a corpus on disk. */
export interface CorpusPart extends Pick<LoadCorpusOptions, "subset" | "limit" | "strict"> {
  /** Folder of the corpus, or a manifest. */
  readonly path: string | URL;
}

/** A set of utterances: a corpus or a part of it on disk, or examples of a program. */
export type CorpusSource =
  | string
  | URL
  | CorpusPart
  | Iterable<SpeechExample>
  | AsyncIterable<SpeechExample>;

/**
 * Lists the utterances of a corpus; their audio stays on disk until it is needed.
 *
 * @param path Folder of the corpus in any layout that the command line reads, or a manifest.
 * @param options Subset, task, number of utterances.
 * @returns Utterances, which `prune`, `finetune` and `evaluate` take, all or some of them.
 * @throws {SyntaxError} If a file of the corpus is malformed; one line.
 * @throws {RangeError} If the folder holds no corpus, or the subset does not exist or is empty.
 * @example
 * ```ts ignore
 * import { loadCorpus } from "../../mod.ts";
 *
 * const train = await loadCorpus("LibriSpeech", { subset: "train-clean-100" });
 * const short = train.filter(({ text }) => text!.length < 200);
 * ```
 */
export async function loadCorpus(path: string | URL, options: LoadCorpusOptions = {}): Promise<Utterance[]> {
  const { subset = "train", task = "asr", ...reading } = options;
  const { limit, strict, onNote } = reading;
  return await openCorpus(pathOf(path), subset, { task, limit, strict, ...onNote && { onNote } });
}

/** Whether a source is a corpus on disk. */
export function isOnDisk(source: CorpusSource): source is string | URL | CorpusPart {
  return typeof source === "string" || source instanceof URL || "path" in source;
}

/** A corpus on disk with its path. */
export function partOf(source: string | URL | CorpusPart): CorpusPart & { readonly path: string } {
  const part = typeof source === "string" || source instanceof URL ? { path: source } : source;
  return { ...part, path: pathOf(part.path) };
}

/**
 * The utterances of a source.
 *
 * @param source Where they come from.
 * @param task Task, whose label each has.
 * @param options Subset that is meant where the source names none, and what receives notes.
 */
export async function utterancesFrom(
  source: CorpusSource,
  task: Task,
  { subset, onNote }: { readonly subset: string; readonly onNote?: (note: string) => void },
): Promise<Utterance[]> {
  if (!isOnDisk(source)) return await utterancesOf(source, task, subset);
  const { path, ...part } = partOf(source);
  return await loadCorpus(path, { subset, task, ...part, ...onNote && { onNote } });
}
