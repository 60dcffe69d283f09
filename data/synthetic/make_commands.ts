import { readAudioHead } from "../audio/format.ts";
import { fileSource } from "../audio/source.ts";
import { cacheFolder } from "../cache_folder.ts";
import { readFolder } from "../corpus/folders.ts";
import { WorkerPool } from "../worker_pool.ts";
import { fileError, makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import { type Row, writeLibriSpeech, writeReadme, writeSlurp } from "./layouts.ts";
import { type CommandCounts, type Line, planCommands, VOICES } from "./plan.ts";
import { HELD_OUT_VOICE } from "./plan.ts";
import type { SpeechJob } from "./speech_worker.ts";

/** Changes when the same options give another corpus. */
const VERSION = 1;

/** How to make the corpus; all have defaults. */
export interface MakeCommandsOptions extends Partial<CommandCounts> {
  /** Folder to make; in the user's cache, named after the options, unless given. */
  readonly out?: string;
  /** Files of 16 bits: WAV, which loads fast, or FLAC, of half the size and as LibriSpeech has it. */
  readonly format?: "wav" | "flac";
  /** Threads that speak; as many as there are processors, 8 at most, unless given. */
  readonly threads?: number;
  /** Is told how many clips there are of how many, from time to time. */
  readonly progress?: (done: number, all: number) => void;
}

/** The corpus that was made or found. */
export interface CommandsCorpus {
  /** Its folder, which has the layouts of both LibriSpeech and SLURP. */
  readonly dir: string;
  /** Whether it was there already. */
  readonly found: boolean;
  /** Clips and seconds of each subset. */
  readonly subsets: Readonly<Record<string, { readonly clips: number; readonly seconds: number }>>;
}

/**
 * Makes the default corpus: spoken home commands of four synthetic voices (CMU Flite), with transcripts and intents,
 * the same files for the same options on every machine. 3,000 sentences to train, 200 dev, 300 test unless given, and
 * the test ones once more by a voice that is in no other subset. A corpus that is there already is found; one that was
 * interrupted is taken up.
 *
 * @param options What to make, and where.
 * @returns Where it is, and what is in it.
 * @throws {RangeError} If the grammar has not as many sentences, or the seed is none.
 * @throws {Error} If the folder holds something else, or cannot be written; one line that names it.
 *
 * @example
 * ```ts ignore
 * const { dir } = await makeCommands();
 * const utterances = await openCorpus(dir, "train", { task: "asr" });
 * ```
 */
export async function makeCommands(options: MakeCommandsOptions = {}): Promise<CommandsCorpus> {
  const { train = 3000, dev = 200, test = 300, seed = 0, format = "wav", progress } = options;
  const counts = { train, dev, test, seed };
  const lines = planCommands(counts);
  const spec = { version: VERSION, ...counts, format, voices: VOICES, heldOut: HELD_OUT_VOICE };
  const name = `commands${VERSION}-${train}-${dev}-${test}-s${seed}${format === "wav" ? "" : `-${format}`}`;
  const dir = (options.out ?? `${cacheFolder()}/${name}`).replace(/(?<=.)\/+$/, "");
  const found = await findCorpus(dir, spec);
  if (found) return found;

  const partial = `${dir}.partial`;
  await takeUp(partial, spec);
  const rows = lines.map((line): Row => ({ ...line, ...place(line, format) }));
  const folders = [...new Set(rows.map(({ folder }) => `${partial}/${folder}`))];
  for (const folder of folders) await makeFolder(folder);
  const threads = options.threads ?? Math.min(8, navigator.hardwareConcurrency);
  const seconds = await speakAll(partial, rows, threads, progress);
  for (const folder of folders) await removeUnfinished(folder);
  await writeLibriSpeech(partial, rows);
  await writeSlurp(partial, rows, seconds);
  await writeReadme(partial);
  const subsets = sumUp(rows, seconds);
  await writeFileAtomic(`${partial}/corpus.json`, JSON.stringify({ ...spec, subsets }, null, 2) + "\n");
  try {
    await Deno.rename(partial, dir);
  } catch (error) {
    // Another process may have been faster.
    const other = await findCorpus(dir, spec);
    if (!other) throw fileError("make", dir, error);
    await Deno.remove(partial, { recursive: true });
  }
  return { dir, found: false, subsets };
}

/** Where LibriSpeech would keep a line: the voice is the reader, and each subset is a chapter. */
function place({ subset, index, voice }: Line, format: string): { folder: string; id: string; file: string } {
  const reader = 8101 + [...VOICES, HELD_OUT_VOICE].indexOf(voice);
  const chapter = `${reader}${["train-clean", "dev-clean", "test-clean", "test-other"].indexOf(subset)}`;
  const id = `${reader}-${chapter}-${String(index).padStart(4, "0")}`;
  return { folder: `LibriSpeech/${subset}/${reader}/${chapter}`, id, file: `${id}.${format}` };
}

/** Makes the folder to work in; what an interrupted run of the same options has left there stays. */
async function takeUp(partial: string, spec: Record<string, unknown>): Promise<void> {
  const left = await readSpec(partial);
  if (left === null || differing(left, spec) !== undefined) {
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

/** Speaks what is not there yet; the seconds of each clip. */
async function speakAll(
  partial: string,
  rows: readonly Row[],
  threads: number,
  progress: MakeCommandsOptions["progress"],
): Promise<number[]> {
  const pool = new WorkerPool<SpeechJob, number>(new URL("./speech_worker.ts", import.meta.url), threads);
  const left: (number | undefined)[] = [];
  // One after the other: a process may not open thousands of files at a time.
  for (const { folder, file } of rows) left.push(await lengthOf(`${partial}/${folder}/${file}`));
  let done = left.filter((seconds) => seconds !== undefined).length;
  try {
    return await Promise.all(rows.map(async ({ folder, file, text, voice }, i) => {
      if (left[i] !== undefined) return left[i];
      const seconds = await pool.run({ text, voice, path: `${partial}/${folder}/${file}` });
      progress?.(++done, rows.length);
      return seconds;
    }));
  } finally {
    pool.close();
  }
}

/** Removes what writers that were killed have left. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const { name } of await readFolder(folder)) {
    if (name.endsWith(".partial")) await Deno.remove(`${folder}/${name}`);
  }
}

/** Seconds of a clip that an interrupted run has left, else undefined. */
async function lengthOf(path: string): Promise<number | undefined> {
  const there = await Deno.stat(path).catch(() => undefined);
  if (!there?.isFile || there.size === 0) return undefined;
  const source = await fileSource(path);
  try {
    return readAudioHead(source).seconds ?? undefined;
  } finally {
    source.close();
  }
}

function sumUp(rows: readonly Row[], seconds: readonly number[]): CommandsCorpus["subsets"] {
  const subsets: Record<string, { clips: number; seconds: number }> = {};
  rows.forEach(({ subset }, i) => {
    const sum = subsets[subset] ??= { clips: 0, seconds: 0 };
    sum.clips++;
    sum.seconds = Math.round((sum.seconds + seconds[i]!) * 1e4) / 1e4;
  });
  return subsets;
}
