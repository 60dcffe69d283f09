// Checks a corpus: lists, audio, transcripts and classes.
import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";
import type { UtteranceCheck } from "./check_worker.ts";
import { listSubsets, openCorpus } from "./corpus.ts";
import { noteOddities, reportOf, type SubsetReport, textErrors } from "./check_subset.ts";
import { escaped } from "./lines.ts";
import { type AudioPlace, placeName, type Task, type Utterance } from "./utterance.ts";
import { normalizeText, tokenizerOf } from "./vocabulary.ts";
import { WorkerPool } from "../worker_pool.ts";

export type { SubsetReport };

/** Options of {@linkcode checkCorpus}. */
export interface CheckOptions {
  /** Task of the corpus; default `asr` if it has transcripts, else `slu`. */
  readonly task?: Task;
  /** Whether odd rows are errors; default false: notes count them, see {@linkcode openCorpus}. */
  readonly strict?: boolean | undefined;
  /** Number of utterances of each subset that are checked, the first; default all. */
  readonly limit?: number | undefined;
  /** Vocabulary of normalised transcripts; default the characters of the `train` subsets. */
  readonly tokenizer?: CtcTokenizer;
  /** Number of decoding threads; default the number of CPU cores, at most 8. */
  readonly threads?: number;
  /** Called after each utterance with the number of decoded ones and of all. */
  readonly progress?: (done: number, all: number) => void;
}

/** Result of {@linkcode checkCorpus}. */
export interface CorpusReport {
  /** Folder of the corpus, or the manifest. */
  readonly dir: string;
  /** Task that it was checked for. */
  readonly task: Task;
  /** Statistics of the subsets. */
  readonly subsets: readonly SubsetReport[];
  /** Errors of one line each: the corpus cannot be used as it is. */
  readonly problems: readonly string[];
  /** Peculiarities of one line each. */
  readonly notes: readonly string[];
}

/**
 * Checks a corpus: reads all lists, decodes all audio, and checks transcripts and classes.
 *
 * @param dir Folder of the corpus, or a manifest.
 * @param options Task, vocabulary and threads.
 * @returns Statistics and errors.
 * @throws {RangeError} If the folder holds no corpus of a known layout.
 * @throws {Error} If it cannot be read.
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
  const { task, subsets } = await readAll(dir, options, problems, notes);
  const train = subsets.filter(({ name }) => name.startsWith("train"));
  const known = (train.length > 0 ? train : subsets).flatMap(({ utterances }) => utterances);
  const texts = known.flatMap(({ text }) => text === undefined ? [] : [normalizeText(text)]);
  const tokenizer = options.tokenizer ?? (texts.some((text) => text !== "") ? tokenizerOf(texts) : undefined);
  const checks = await decodeAll(subsets.flatMap(({ utterances }) => utterances), options, problems);
  const reports = subsets.map(({ name, utterances }) => {
    problems.push(...textErrors(name, utterances, tokenizer));
    return reportOf(name, utterances, checks);
  });
  notes.push(...noteOddities(reports));
  return { dir, task, subsets: reports, problems, notes };
}

interface Subset {
  readonly name: string;
  readonly utterances: Utterance[];
}

async function readAll(
  dir: string,
  { task: requested, strict = false, limit = Infinity }: CheckOptions,
  problems: string[],
  notes: string[],
): Promise<{ task: Task; subsets: Subset[] }> {
  let failure: unknown;
  for (const task of requested ? [requested] : ["asr", "slu"] as const) {
    const errors: string[] = [];
    const noted: string[] = [];
    const onError = (error: Error) => void errors.push(error.message);
    const onNote = (note: string) => void noted.push(note);
    const subsets: Subset[] = [];
    try {
      for (const name of await listSubsets(dir, { task })) {
        const before = errors.length;
        const utterances = await openCorpus(dir, name, { task, strict, limit, onError, onNote }).catch(
          (error) => {
            if (errors.length === before) onError(error); // else it is that no row was left
            return [];
          },
        );
        subsets.push({ name: name || "all", utterances });
      }
    } catch (error) {
      failure ??= error;
      continue;
    }
    // Where nothing can be read, as in a file that is no manifest, one error stands for those of all lines.
    if (errors.length > 0 && subsets.every(({ utterances }) => utterances.length === 0)) {
      const others = errors.length > 1 ? ` (and ${errors.length - 1} more errors)` : "";
      failure ??= new RangeError(errors[0] + others);
      continue;
    }
    problems.push(...errors);
    notes.push(...noted);
    return { task, subsets };
  }
  throw failure;
}

async function decodeAll(
  utterances: readonly Utterance[],
  { threads = Math.min(8, navigator.hardwareConcurrency), progress }: CheckOptions,
  problems: string[],
): Promise<ReadonlyMap<string, UtteranceCheck>> {
  const pool = new WorkerPool<AudioPlace, UtteranceCheck>(
    new URL("./check_worker.ts", import.meta.url),
    threads,
  );
  const checks = new Map<string, UtteranceCheck>();
  let done = 0;
  const errors = await Promise.all(utterances.map(async (utterance) => {
    const name = placeName(utterance);
    try {
      checks.set(name, await pool.run(utterance));
    } catch (error) {
      return (error as Error).message;
    } finally {
      progress?.(++done, utterances.length);
    }
    return checks.get(name)!.peak === 0
      ? `Cannot use ${escaped(name)} as it must have sound: it is silent`
      : undefined;
  })).finally(() => pool.close());
  problems.push(...errors.filter((error) => error !== undefined));
  return checks;
}
