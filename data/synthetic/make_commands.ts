// Synthesises the default corpus of spoken home commands.
import { readAudioHead } from "../audio/format.ts";
import { fileSource } from "../audio/source.ts";
import { cacheFolder } from "../cache_folder.ts";
import { readFolder } from "../corpus/folders.ts";
import { WorkerPool } from "../worker_pool.ts";
import { fileError, makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import { acquireLock } from "../../files/lock.ts";
import { withoutSlash } from "../../files/whole_folder.ts";
import { type Row, writeLibriSpeech, writeReadme, writeSlurp } from "./layouts.ts";
import { type CommandCounts, HELD_OUT_VOICE, planCommands, type Sentence, VOICES } from "./plan.ts";
import type { SpeechJob } from "./speech_worker.ts";

/** Increased when the same options give another corpus. */
const VERSION = 1;

/** Options of {@linkcode makeCommands}. */
export interface MakeCommandsOptions extends Partial<CommandCounts> {
  /** Folder to create; default in the user's cache, named after the options. */
  readonly out?: string;
  /** Format of the files, 16 bits: WAV, which loads faster (default), or FLAC, half the size. */
  readonly format?: "wav" | "flac";
  /** Number of synthesis threads; default the number of CPU cores, at most 8. */
  readonly threads?: number;
  /** Ends the work. A folder that was given as `out` is left as it was; what was synthesised into the cache is used again. */
  readonly signal?: AbortSignal;
  /** Called after each utterance with the number of finished ones and of all. */
  readonly progress?: (done: number, all: number) => void;
  /** Called if another process synthesises the same corpus, which is waited for, with a name of the process. */
  readonly onWait?: (holder: string) => void;
}

/** Result of {@linkcode makeCommands}. */
export interface CommandsCorpus {
  /** Folder of the corpus, with the layouts of both LibriSpeech and SLURP. */
  readonly dir: string;
  /** Whether it existed. */
  readonly found: boolean;
  /** Number of utterances (`clips`) and seconds of each subset. */
  readonly subsets: Readonly<Record<string, { readonly clips: number; readonly seconds: number }>>;
}

/**
 * Synthesises the default corpus: spoken home commands of four voices of CMU Flite, with transcripts and intents. The same
 * options give the same files on every machine. By default there are 3,000 sentences for training, 200 for dev and 300
 * for test; the test sentences are repeated by a voice that is in no other subset. An existing corpus is reused, an
 * interrupted one is completed; one that another process makes is waited for.
 *
 * @param options Size, folder and format.
 * @returns Folder and size of the corpus.
 * @throws {RangeError} If the grammar has fewer sentences, or the seed is invalid.
 * @throws {DOMException} The reason of the signal, if it came.
 * @throws {Error} If the folder holds something else or cannot be written; one line that names the path.
 *
 * @example
 * ```ts ignore
 * const { dir } = await makeCommands();
 * const utterances = await openCorpus(dir, "train", { task: "asr" });
 * ```
 */
export async function makeCommands(options: MakeCommandsOptions = {}): Promise<CommandsCorpus> {
  const { train = 3000, dev = 200, test = 300, seed = 0, format = "wav", onWait = () => {} } = options;
  const counts = { train, dev, test, seed };
  const sentences = planCommands(counts);
  const spec = { version: VERSION, ...counts, format, voices: VOICES, heldOut: HELD_OUT_VOICE };
  const name = `commands${VERSION}-${train}-${dev}-${test}-s${seed}${format === "wav" ? "" : `-${format}`}`;
  const dir = withoutSlash(options.out ?? `${cacheFolder()}/${name}`);
  const found = await findCorpus(dir, spec);
  if (found) return found;
  using _lock = await acquireLock(`${dir}.lock`, { target: dir, onWait, signal: options.signal });
  const finished = await findCorpus(dir, spec); // by the process that was waited for
  if (finished) return finished;

  const partial = `${dir}.partial`;
  await prepareFolder(partial, spec);
  const rows = sentences.map((sentence): Row => ({ ...sentence, ...placeOf(sentence, format) }));
  const folders = [...new Set(rows.map(({ folder }) => `${partial}/${folder}`))];
  for (const folder of folders) await makeFolder(folder);
  const threads = options.threads ?? Math.min(8, navigator.hardwareConcurrency);
  const seconds = await synthesise(partial, rows, threads, options).catch(async (error) => {
    const remove = options.signal?.aborted && options.out !== undefined;
    if (remove) await Deno.remove(partial, { recursive: true }).catch(() => {});
    throw error;
  });
  for (const folder of folders) await removeUnfinished(folder);
  await writeLibriSpeech(partial, rows);
  await writeSlurp(partial, rows, seconds);
  await writeReadme(partial);
  const subsets = totalsOf(rows, seconds);
  await writeFileAtomic(`${partial}/corpus.json`, JSON.stringify({ ...spec, subsets }, null, 2) + "\n");
  await Deno.rename(partial, dir).catch((error) => {
    throw fileError("make", dir, error);
  });
  return { dir, found: false, subsets };
}

/** Position in LibriSpeech's layout: the voice is the reader, and each subset is a chapter. */
function placeOf(
  { subset, index, voice }: Sentence,
  format: string,
): { folder: string; id: string; file: string } {
  const reader = 8101 + [...VOICES, HELD_OUT_VOICE].indexOf(voice);
  const chapter = `${reader}${["train-clean", "dev-clean", "test-clean", "test-other"].indexOf(subset)}`;
  const id = `${reader}-${chapter}-${String(index).padStart(4, "0")}`;
  return { folder: `LibriSpeech/${subset}/${reader}/${chapter}`, id, file: `${id}.${format}` };
}

/** Creates the working folder; files of an interrupted run with the same options are kept. */
async function prepareFolder(partial: string, spec: Record<string, unknown>): Promise<void> {
  const existing = await readSpec(partial);
  if (existing === null || differing(existing, spec) !== undefined) {
    await Deno.remove(partial, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw fileError("remove", partial, error);
    });
    await makeFolder(partial);
    await writeFileAtomic(`${partial}/corpus.json`, JSON.stringify(spec));
  }
}

async function readSpec(dir: string): Promise<Record<string, unknown> | null> {
  return await Deno.readTextFile(`${dir}/corpus.json`).then(JSON.parse).catch(() => null);
}

function differing(made: Record<string, unknown>, spec: Record<string, unknown>): string | undefined {
  return Object.keys(spec).find((key) => JSON.stringify(made[key]) !== JSON.stringify(spec[key]));
}

async function findCorpus(dir: string, spec: Record<string, unknown>): Promise<CommandsCorpus | undefined> {
  if (!await Deno.stat(dir).then(() => true, () => false)) return undefined;
  const made = await readSpec(dir) ?? {};
  const differs = differing(made, spec);
  if (differs === undefined) {
    return { dir, found: true, subsets: made["subsets"] as CommandsCorpus["subsets"] };
  }
  const found = made["version"] === undefined
    ? "it holds something else"
    : `it has ${differs} ${JSON.stringify(made[differs])}, not ${JSON.stringify(spec[differs])}`;
  throw new Error(`Cannot make ${dir} as it must be a new folder or the same corpus: ${found}`);
}

/** Synthesises the files that do not exist yet; returns the duration of each in seconds. */
async function synthesise(
  partial: string,
  rows: readonly Row[],
  threads: number,
  { progress, signal }: MakeCommandsOptions,
): Promise<number[]> {
  const pool = new WorkerPool<SpeechJob, number>(new URL("./speech_worker.ts", import.meta.url), threads);
  const existing: (number | undefined)[] = [];
  // In sequence: a process cannot open thousands of files at a time.
  for (const { folder, file } of rows) existing.push(await durationOf(`${partial}/${folder}/${file}`));
  let done = existing.filter((seconds) => seconds !== undefined).length;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal!.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  try {
    const all = Promise.all(rows.map(async ({ folder, file, text, voice }, i) => {
      if (existing[i] !== undefined) return existing[i];
      const seconds = await pool.run({ text, voice, path: `${partial}/${folder}/${file}` });
      progress?.(++done, rows.length);
      return seconds;
    }));
    return await Promise.race([all, aborted.promise]);
  } finally {
    signal?.removeEventListener("abort", abort);
    pool.close();
  }
}

/** Removes temporary files of interrupted runs. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const { name } of await readFolder(folder)) {
    if (name.endsWith(".partial")) await Deno.remove(`${folder}/${name}`);
  }
}

/** Duration of a file of an interrupted run in seconds; undefined if it does not exist. */
async function durationOf(path: string): Promise<number | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  if (!info?.isFile || info.size === 0) return undefined;
  const source = await fileSource(path);
  try {
    return readAudioHead(source).seconds ?? undefined;
  } finally {
    source.close();
  }
}

function totalsOf(rows: readonly Row[], seconds: readonly number[]): CommandsCorpus["subsets"] {
  const subsets: Record<string, { clips: number; seconds: number }> = {};
  rows.forEach(({ subset }, i) => {
    const sum = subsets[subset] ??= { clips: 0, seconds: 0 };
    sum.clips++;
    sum.seconds = Math.round((sum.seconds + seconds[i]!) * 1e4) / 1e4;
  });
  return subsets;
}
