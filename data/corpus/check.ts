import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";
import type { UtteranceCheck } from "./check_worker.ts";
import { listSubsets, openCorpus, type Task, type Utterance } from "./corpus.ts";
import { faultsOfTexts, oddities, type SubsetReport, sumUp } from "./check_subset.ts";
import { normalizeText, tokenizerOf } from "./vocabulary.ts";
import { WorkerPool } from "../worker_pool.ts";

export type { SubsetReport };

/** How a corpus is checked. */
export interface CheckOptions {
  /** What it is for; `asr` where its clips have transcripts, else `slu`, unless given. */
  readonly task?: Task;
  /** Characters that transcripts may have, once normalised; those of the `train` subsets unless given. */
  readonly tokenizer?: CtcTokenizer;
  /** Threads that decode; as many as there are processors, 8 at most, unless given. */
  readonly threads?: number;
  /** Is told how many clips are decoded of how many, from time to time. */
  readonly progress?: (done: number, all: number) => void;
}

/** What a corpus is found to be. */
export interface CorpusReport {
  /** Folder of the corpus, or the manifest. */
  readonly dir: string;
  /** What it was checked for. */
  readonly task: Task;
  /** What is in it. */
  readonly subsets: readonly SubsetReport[];
  /** What is wrong, a line each: the corpus cannot be used as it is. */
  readonly problems: readonly string[];
  /** What is odd, a line each. */
  readonly notes: readonly string[];
}

/**
 * Checks a corpus: reads every list, decodes every clip, and looks at transcripts and classes.
 *
 * @param dir Folder of the corpus, or a manifest.
 * @param options How.
 * @returns What is in it and what is wrong with it.
 * @throws {RangeError} If it is no corpus.
 * @throws {Error} If the system refuses to read it.
 *
 * @example
 * ```ts ignore
 * const { problems } = await checkCorpus("LibriSpeech");
 * console.log(problems.join("\n"));
 * ```
 */
export async function checkCorpus(dir: string, options: CheckOptions = {}): Promise<CorpusReport> {
  const problems: string[] = [];
  const notes: string[] = [];
  const { task, subsets } = await readAll(dir, options.task, problems);
  const train = subsets.filter(({ name }) => name.startsWith("train"));
  const known = (train.length > 0 ? train : subsets).flatMap(({ utterances }) => utterances);
  const texts = known.flatMap(({ text }) => text === undefined ? [] : [normalizeText(text)]);
  const tokenizer = options.tokenizer ?? (texts.some((text) => text !== "") ? tokenizerOf(texts) : undefined);
  const clips = await decodeAll(subsets.flatMap(({ utterances }) => utterances), options, problems);
  const reports = subsets.map(({ name, utterances }) => {
    problems.push(...faultsOfTexts(name, utterances, tokenizer));
    return sumUp(name, utterances, clips);
  });
  notes.push(...oddities(reports));
  return { dir, task, subsets: reports, problems, notes };
}

interface Subset {
  readonly name: string;
  readonly utterances: Utterance[];
}

async function readAll(
  dir: string,
  wanted: Task | undefined,
  problems: string[],
): Promise<{ task: Task; subsets: Subset[] }> {
  let failure: unknown;
  for (const task of wanted ? [wanted] : ["asr", "slu"] as const) {
    const faults: string[] = [];
    const onFault = (fault: Error) => void faults.push(fault.message);
    const subsets: Subset[] = [];
    try {
      for (const name of await listSubsets(dir, { task })) {
        const utterances = await openCorpus(dir, name, { task, onFault }).catch((error) => {
          onFault(error);
          return [];
        });
        subsets.push({ name: name || "all", utterances });
      }
    } catch (error) {
      failure ??= error;
      continue;
    }
    if (!wanted && task === "asr" && subsets.every(({ utterances }) => utterances.length === 0)) {
      failure ??= new RangeError(faults[0]);
      continue;
    }
    problems.push(...faults);
    return { task, subsets };
  }
  throw failure;
}

async function decodeAll(
  utterances: readonly Utterance[],
  { threads = Math.min(8, navigator.hardwareConcurrency), progress }: CheckOptions,
  problems: string[],
): Promise<ReadonlyMap<string, UtteranceCheck>> {
  const pool = new WorkerPool<string, UtteranceCheck>(new URL("./check_worker.ts", import.meta.url), threads);
  const clips = new Map<string, UtteranceCheck>();
  let done = 0;
  const faults = await Promise.all(utterances.map(async ({ audio }) => {
    try {
      clips.set(audio, await pool.run(audio));
    } catch (error) {
      return (error as Error).message;
    } finally {
      progress?.(++done, utterances.length);
    }
    return clips.get(audio)!.peak === 0
      ? `Cannot use ${audio} as it must have sound: it is silent`
      : undefined;
  })).finally(() => pool.close());
  problems.push(...faults.filter((fault) => fault !== undefined));
  return clips;
}
