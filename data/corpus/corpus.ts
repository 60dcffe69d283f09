// Opens a corpus in any layout.
import * as audioFolder from "./audio_folder.ts";
import * as commonVoice from "./common_voice.ts";
import * as kaldi from "./kaldi.ts";
import * as libriSpeech from "./librispeech.ts";
import * as manifest from "./manifest.ts";
import * as parquet from "./parquet.ts";
import * as slurp from "./slurp.ts";
import { escaped } from "./lines.ts";
import { OddRows } from "./odd_rows.ts";
import { subsetOfSplit } from "./splits.ts";
import type { Layout, OnError, OnNote, Task, Utterance } from "./utterance.ts";

/** Options of {@linkcode openCorpus}. */
export interface CorpusOptions {
  /** Task of the corpus. */
  readonly task: Task;
  /**
   * Whether utterances without audio, transcript or length and repeated ones are errors; default false: they are
   * skipped, and a note of each kind counts them and names the first.
   */
  readonly strict?: boolean | undefined;
  /** Maximum number of utterances, the first; default all. */
  readonly limit?: number | undefined;
  /** Receives each error of one line; the valid utterances are returned. Default: the first error is thrown. */
  readonly onError?: OnError;
  /** Receives notes of one line; default: they are dropped. */
  readonly onNote?: OnNote;
}

const LAYOUTS: Readonly<Record<Task, readonly Layout[]>> = {
  asr: [libriSpeech, slurp, commonVoice, kaldi, audioFolder, parquet, manifest],
  slu: [slurp, audioFolder, parquet, manifest],
};

/**
 * Lists the utterances of a corpus, in the same order on every machine. The layout is detected:
 *
 * - LibriSpeech, for `asr`: `SUBSET/READER/CHAPTER/*.flac` with `READER-CHAPTER.trans.txt`, also below `LibriSpeech/`;
 * - Common Voice, for `asr`: `SUBSET.tsv` with `path`, `sentence` and `client_id`, and `clips/`;
 * - Kaldi, for `asr`: `SUBSET/wav.scp` with `text`, `utt2spk` and `segments`, also below `data/`;
 * - Hugging Face's audiofolder: `metadata.csv` or `metadata.jsonl` with `file_name`, in a folder or those of its splits;
 * - SLURP: `dataset/slurp/SUBSET.jsonl` with `audio/slurp_real/` and `audio/slurp_synth/`; the class is
 *   `scenario_action`;
 * - Parquet files of a data set of Hugging Face, with `audio` in each row: `SUBSET-00000-of-00002.parquet`, also below `data/`;
 * - a manifest: a JSON Lines file with `audio` (a path relative to the manifest's folder), `text` or `intent`, and
 *   optionally `speaker`, `id` and `seconds`; or a folder of them, `SUBSET.jsonl`.
 *
 * @param dir Folder of the corpus, or a manifest, for which `subset` is ignored.
 * @param subset Name of a subset, or several separated by commas. If no subset has that name, `train`, `dev` and `test`
 * select all subsets that start with it and end in `-clean` or `-clean-` and a number, or else all that start with it.
 * @param options Task, number of utterances, and what to do with errors and odd rows.
 * @throws {SyntaxError} If a line is malformed, or an id is not unique among subsets; with `strict` also if a row is odd.
 * One line that names the file and the line.
 * @throws {RangeError} If the subset does not exist or is empty; the message lists the subsets.
 * @throws {Error} If a file cannot be read.
 *
 * @example
 * ```ts ignore
 * const utterances = await openCorpus("LibriSpeech", "dev-clean", { task: "asr" });
 * ```
 */
export async function openCorpus(dir: string, subset: string, options: CorpusOptions): Promise<Utterance[]> {
  const { task, strict = false, limit = Infinity, onError = rethrow, onNote = () => {} } = options;
  const { layout, subsets } = await findLayout(dir, task);
  const names = subset.split(",").flatMap((word) => resolveSubset(dir, word.trim(), subsets));
  const all: Utterance[] = [];
  const odd = new OddRows();
  for (const name of names) {
    const left = limit - all.length;
    if (left <= 0) break;
    const utterances = await layout.readSubset(dir, subsets.get(name)!, {
      task,
      limit: left,
      onError: strict ? onError : odd.collecting(onError),
    });
    if (utterances.length === 0) {
      const { message } = odd.first ?? {};
      throw new RangeError(
        `Cannot open ${dir} as a subset must have utterances: ${escaped(name) || "it"} has none` +
          (message === undefined ? "" : ` that can be used (${message})`),
      );
    }
    for (const utterance of utterances.slice(0, left)) all.push(utterance);
  }
  odd.note(onNote);
  const seen = new Set<string>();
  const duplicate = all.find(({ id }) => seen.size === seen.add(id).size);
  if (duplicate) {
    throw new SyntaxError(`Cannot open ${dir} as ids must be unique: ${escaped(duplicate.id)} occurs twice`);
  }
  return all;
}

/**
 * Names of the subsets of a corpus.
 *
 * @param dir Folder of the corpus, or a manifest.
 * @param options Task of the corpus.
 * @throws {RangeError} If the folder holds no corpus of a known layout.
 */
export async function listSubsets(dir: string, options: CorpusOptions): Promise<string[]> {
  return [...(await findLayout(dir, options.task)).subsets.keys()];
}

function rethrow(error: Error): never {
  throw error;
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
  const found = await Deno.stat(dir).then(() => "it holds none", () => "there is no such folder");
  throw new RangeError(`Cannot open ${dir} as it must hold a corpus (${known}): ${found}`);
}

/** The subsets that a name selects. */
function resolveSubset(dir: string, word: string, subsets: ReadonlyMap<string, string>): string[] {
  const names = [...subsets.keys()];
  if (names.includes(word)) return [word];
  const alike = names.find((name) => name.replaceAll("_", "-") === word.replaceAll("_", "-"));
  if (alike !== undefined) return [alike];
  if (subsets.size === 1 && subsets.has("")) return [""];
  const split = subsetOfSplit(word);
  if (names.includes(split)) return [split];
  if (["train", "dev", "test"].includes(word)) {
    // SLURP writes devel. Its synthetic speech and our held-out voice, with an underscore, are selected by full name only.
    const starting = names.filter((name) =>
      /^[-.]|^el$/.test(name.slice(word.length)) && name.startsWith(word)
    );
    const clean = starting.filter((name) => /^\w+[-.]clean([-.]\d+)?$/.test(name));
    if (clean.length > 0) return clean;
    if (starting.length > 0) return starting;
  }
  throw new RangeError(
    `Cannot open ${dir} as its subsets are ${escaped(names.join(", "))}: ${word || "none"} is requested`,
  );
}
