// Reads the layout of LibriSpeech (Panayotov et al., "LibriSpeech: an ASR corpus based on public domain audio books",
// ICASSP 2015).
import { AUDIO_NAME, foldersIn, readFolder } from "./folders.ts";
import { forEachLine, readLines, refuseLine } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import type { OnError, ReadOptions, Utterance } from "./utterance.ts";

/** Name of the layout for errors. */
export const layoutName = "SUBSET/READER/CHAPTER/*.trans.txt as LibriSpeech";

/**
 * Finds the subsets of a corpus in the layout of LibriSpeech.
 *
 * @param dir The folder of the subsets, or the parent of its `LibriSpeech` folder.
 * @returns Paths of the subsets by name; empty if the folder has another layout.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  const subsets = new Map<string, string>();
  for (const root of [dir, `${dir}/LibriSpeech`]) {
    for (const subset of await foldersIn(root)) {
      if (await isSubset(`${root}/${subset}`)) subsets.set(subset, `${root}/${subset}`);
    }
  }
  return subsets;
}

/** Whether a folder is a subset: the first chapter that has files must have a transcript. */
async function isSubset(path: string): Promise<boolean> {
  for (const reader of await foldersIn(path)) {
    for (const chapter of await foldersIn(`${path}/${reader}`)) {
      const entries = await readFolder(`${path}/${reader}/${chapter}`);
      if (entries.length > 0) return entries.some(({ name }) => name.endsWith(".trans.txt"));
    }
  }
  return false;
}

/**
 * Reads the utterances of a subset, reader by reader.
 *
 * @param path Path of the subset's folder.
 * @param options Where errors go: odd are a transcript without audio, audio without a transcript, and a line without text.
 * @throws {SyntaxError} If an id is not unique.
 */
export async function readSubset(
  _dir: string,
  path: string,
  { onError }: ReadOptions,
): Promise<Utterance[]> {
  const utterances: Utterance[] = [];
  for (const reader of await foldersIn(path)) {
    for (const chapter of await foldersIn(`${path}/${reader}`)) {
      utterances.push(...await readChapter(`${path}/${reader}/${chapter}`, reader, onError));
    }
  }
  return utterances;
}

async function readChapter(path: string, speaker: string, onError: OnError): Promise<Utterance[]> {
  const names = (await readFolder(path)).map(({ name }) => name);
  const audio = new Map(names.filter((name) => AUDIO_NAME.test(name)).map((name) => [stem(name), name]));
  const utterances: Utterance[] = [];
  const positions = new Map<string, string>();
  for (const file of names.filter((name) => name.endsWith(".trans.txt"))) {
    forEachLine(await readLines(`${path}/${file}`), onError, ({ at, text: line }) => {
      const [, id, text] = line.match(/^(\S+)(?:\s+(.*))?$/)!;
      const before = positions.get(id!);
      if (before) refuseLine(at, "ids must be unique", `${id} is already in ${before}`);
      positions.set(id!, at);
      const name = audio.get(id!);
      const place = { name: id!, at };
      if (!name) {
        const found = `there is no ${path}/${id}.flac or .wav`;
        throw new OddRow("audio", place, "every transcript needs its audio", found);
      }
      if (!text) throw new OddRow("transcript", place, "a transcript must follow the id", `${id} has none`);
      utterances.push({ id: id!, audio: `${path}/${name}`, text: text!, speaker });
    });
  }
  for (const [id, name] of audio) {
    if (!positions.has(id)) {
      const place = { name: `${path}/${name}`, at: `${path}/${name}` };
      const rule = "every audio file needs a line in a .trans.txt";
      onError(new OddRow("transcript", place, rule, "it has none"));
    }
  }
  return utterances;
}

function stem(name: string): string {
  return name.replace(AUDIO_NAME, "");
}
