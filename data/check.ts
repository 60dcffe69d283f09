import type { CtcTokenizer } from "../model/tokenizer.ts";
import type { ClipCheck } from "./check_worker.ts";
import { listSubsets, openCorpus, type Task, type Utterance } from "./corpus.ts";
import { letterCaseOf, normalizeText, tokenizerOf } from "./vocabulary.ts";
import { WorkerPool } from "./worker_pool.ts";

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
  readonly dir: string;
  readonly task: Task;
  readonly subsets: readonly SubsetReport[];
  /** What is wrong, a line each: the corpus cannot be used as it is. */
  readonly problems: readonly string[];
  /** What is odd, a line each. */
  readonly notes: readonly string[];
}

/** What a subset is found to be. */
export interface SubsetReport {
  readonly name: string;
  readonly clips: number;
  readonly speakers: number;
  /** Lengths in seconds; those of broken clips are left out. */
  readonly seconds: {
    readonly all: number;
    readonly least: number;
    readonly median: number;
    readonly most: number;
  };
  /** Clips by sample rate, Hz. */
  readonly sampleRates: Readonly<Record<string, number>>;
  /** Words in transcripts, and different ones. */
  readonly words?: { readonly all: number; readonly different: number };
  /** Clips by class. */
  readonly classes?: Readonly<Record<string, number>>;
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
): Promise<ReadonlyMap<string, ClipCheck>> {
  const pool = new WorkerPool<string, ClipCheck>(new URL("./check_worker.ts", import.meta.url), threads);
  const clips = new Map<string, ClipCheck>();
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

/** Transcripts without letters, or with characters that the vocabulary lacks; ten of a subset at most. */
function faultsOfTexts(name: string, utterances: readonly Utterance[], tokenizer?: CtcTokenizer): string[] {
  if (!tokenizer) return [];
  const letterCase = letterCaseOf(tokenizer);
  const faults = utterances.flatMap(({ id, text }) => {
    if (text === undefined) return [];
    const normal = normalizeText(text, letterCase);
    if (normal === "") return [`Cannot use ${id} of ${name} as its transcript must have letters: ${text}`];
    const missing = tokenizer.missing(normal);
    if (missing.length === 0) return [];
    return [
      `Cannot use ${id} of ${name} as its characters must be in the vocabulary: ${missing.join(" ")} not`,
    ];
  });
  const more = faults.length - 10;
  return more > 0
    ? [...faults.slice(0, 10), `Cannot use ${more} more clips of ${name} as those: see above`]
    : faults;
}

function sumUp(
  name: string,
  utterances: readonly Utterance[],
  clips: ReadonlyMap<string, ClipCheck>,
): SubsetReport {
  const sound = utterances.flatMap(({ audio }) => clips.get(audio) ?? []);
  const lengths = sound.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const words = utterances.flatMap(({ text }) => text === undefined ? [] : normalizeText(text).split(" "));
  const classes = utterances.flatMap(({ intent }) => intent ?? []);
  return {
    name,
    clips: utterances.length,
    speakers: new Set(utterances.flatMap(({ speaker }) => speaker ?? [])).size,
    seconds: {
      all: lengths.reduce((sum, seconds) => sum + seconds, 0),
      least: lengths[0] ?? 0,
      median: lengths[lengths.length >> 1] ?? 0,
      most: lengths.at(-1) ?? 0,
    },
    sampleRates: count(sound.map(({ sampleRate }) => String(sampleRate))),
    ...words.length > 0 && { words: { all: words.length, different: new Set(words).size } },
    ...classes.length > 0 && { classes: count(classes) },
  };
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function oddities(subsets: readonly SubsetReport[]): string[] {
  const notes: string[] = [];
  const train = subsets.filter(({ name }) => name.startsWith("train"));
  for (const { name, sampleRates, classes = {} } of subsets) {
    const others = Object.entries(sampleRates).filter(([rate]) => rate !== "16000");
    for (const [rate, clips] of others) {
      notes.push(`${name}: ${clips} clips of ${rate} Hz are resampled to 16000 Hz`);
    }
    const sizes = Object.values(classes);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    if (sizes.length > 0 && most > 10 * least) {
      notes.push(`${name}: the largest class has ${most} clips, the least ${least}`);
    }
    const unknown = Object.keys(classes).filter((one) =>
      !train.some((subset) => one in (subset.classes ?? {}))
    );
    if (train.length > 0 && unknown.length > 0) {
      notes.push(`${name}: no training clip is of class ${unknown.join(", ")}`);
    }
  }
  return notes;
}
