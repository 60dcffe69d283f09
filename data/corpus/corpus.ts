import * as libriSpeech from "./librispeech.ts";
import type { OnFault } from "./lines.ts";
import * as manifest from "./manifest.ts";
import * as slurp from "./slurp.ts";

/** What a corpus is for: speech recognition needs transcripts, spoken-language understanding classes. */
export type Task = "asr" | "slu";

/** A clip of a corpus with what is known of it. */
export interface Utterance {
  /** Name that no other clip of the subsets has that were opened together. */
  readonly id: string;
  /** Path of the audio file. */
  readonly audio: string;
  /** Transcript as the corpus writes it; always there for `asr`. */
  readonly text?: string;
  /** Class; always there for `slu`. */
  readonly intent?: string;
  /** Who speaks. */
  readonly speaker?: string;
  /** Length, where the corpus tells it. */
  readonly seconds?: number;
}

/** How a corpus is opened. */
export interface CorpusOptions {
  /** What it is for. */
  readonly task: Task;
  /** Is told what is wrong with it, a line each; the clips that are sound are returned. Without it faults are thrown. */
  readonly onFault?: OnFault;
}

/** A way to keep a corpus on disk. */
interface Layout {
  /** How it is called in errors. */
  readonly layoutName: string;
  /** Its subsets in a folder; empty where the folder has another layout. */
  findSubsets(dir: string): Promise<ReadonlyMap<string, string>>;
  /** Reads a subset from where `findSubsets` says it is. */
  readSubset(dir: string, path: string, task: Task, onFault: OnFault): Promise<Utterance[]>;
}

const LAYOUTS: Readonly<Record<Task, readonly Layout[]>> = {
  asr: [libriSpeech, slurp, manifest],
  slu: [slurp, manifest],
};

/**
 * Lists the clips of a corpus, in an order that is the same on every machine. The layout is found out:
 *
 * - LibriSpeech, for `asr`: `SUBSET/READER/CHAPTER/*.flac` with `READER-CHAPTER.trans.txt`, also below `LibriSpeech/`;
 * - SLURP: `dataset/slurp/SUBSET.jsonl` with `audio/slurp_real/` and `audio/slurp_synth/`; the class is
 *   `scenario_action`;
 * - a manifest: a file of JSON lines with `audio` (a path, taken from the manifest's folder), `text` or `intent`, and
 *   if known `speaker`, `id` and `seconds`; or a folder of them, `SUBSET.jsonl`.
 *
 * @param dir Folder of the corpus, or a manifest, whose `subset` is then of no account.
 * @param subset A subset by name, or several separated by commas. Where there is none of that name, `train`, `dev` and
 * `test` stand for all that begin so and end in `-clean` or `-clean-` and a number, else for all that begin so.
 * @param options What the corpus is for.
 * @throws {SyntaxError} If a file is not as it should be: a transcript without audio, audio without a transcript, a
 * line that is no JSON, a name twice. One line that names the file and the line.
 * @throws {RangeError} If there is no such subset, or it is empty; names those there are.
 * @throws {Error} If a file cannot be read.
 *
 * @example
 * ```ts ignore
 * const utterances = await openCorpus("LibriSpeech", "dev-clean", { task: "asr" });
 * ```
 */
export async function openCorpus(dir: string, subset: string, options: CorpusOptions): Promise<Utterance[]> {
  const { task, onFault = rethrow } = options;
  const { layout, subsets } = await findLayout(dir, task);
  const names = subset.split(",").flatMap((word) => resolve(dir, word.trim(), subsets));
  const all: Utterance[] = [];
  for (const name of names) {
    const utterances = await layout.readSubset(dir, subsets.get(name)!, task, onFault);
    if (utterances.length === 0) {
      throw new RangeError(`Cannot open ${dir} as its subset must have clips: ${name} has none`);
    }
    all.push(...utterances);
  }
  const seen = new Set<string>();
  const twice = all.find(({ id }) => seen.size === seen.add(id).size);
  if (twice) {
    throw new SyntaxError(`Cannot open ${dir} as a name must stand for one clip: ${twice.id} is there twice`);
  }
  return all;
}

/**
 * The subsets of a corpus, by name.
 *
 * @param dir Folder of the corpus, or a manifest.
 * @param options What the corpus is for.
 * @throws {RangeError} If it is none.
 */
export async function listSubsets(dir: string, options: CorpusOptions): Promise<string[]> {
  return [...(await findLayout(dir, options.task)).subsets.keys()];
}

function rethrow(fault: Error): never {
  throw fault;
}

async function findLayout(
  dir: string,
  task: Task,
): Promise<{ layout: Layout; subsets: ReadonlyMap<string, string> }> {
  for (const layout of LAYOUTS[task]) {
    const subsets = await layout.findSubsets(dir);
    if (subsets.size > 0) return { layout, subsets };
  }
  const known = LAYOUTS[task].map(({ layoutName }) => layoutName).join(", ");
  const there = await Deno.stat(dir).then(() => "there is none in it", () => "there is no such folder");
  throw new RangeError(`Cannot open ${dir} as it must hold a corpus (${known}): ${there}`);
}

/** The subsets that a word stands for. */
function resolve(dir: string, word: string, subsets: ReadonlyMap<string, string>): string[] {
  const names = [...subsets.keys()];
  if (names.includes(word)) return [word];
  const alike = names.find((name) => name.replaceAll("_", "-") === word.replaceAll("_", "-"));
  if (alike !== undefined) return [alike];
  if (subsets.size === 1 && subsets.has("")) return [""];
  if (["train", "dev", "test"].includes(word)) {
    // SLURP says devel. Its synthetic speech and our held-out voice, with an underscore, are for those who name them.
    const begin = names.filter((name) => name.startsWith(`${word}-`) || name === `${word}el`);
    const clean = begin.filter((name) => /^\w+-clean(-\d+)?$/.test(name));
    if (clean.length > 0) return clean;
    if (begin.length > 0) return begin;
  }
  throw new RangeError(
    `Cannot open ${dir} as it has the subsets ${names.join(", ")}: ${word || "none"} is asked for`,
  );
}
