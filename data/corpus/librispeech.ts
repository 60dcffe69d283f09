import type { Task, Utterance } from "./corpus.ts";
import { AUDIO_NAME, foldersIn, readFolder } from "./folders.ts";
import { faultOf, forEachLine, type OnFault, readLines, refuseLine } from "./lines.ts";

/** How the layout is called in errors. */
export const layoutName = "SUBSET/READER/CHAPTER/*.trans.txt as LibriSpeech";

/**
 * The subsets of a folder in the layout of LibriSpeech (Panayotov et al., "LibriSpeech: an ASR corpus based on public
 * domain audio books", ICASSP 2015).
 *
 * @param dir The folder, or the one above its `LibriSpeech`.
 * @returns Paths of the subsets by name; empty where the layout is another.
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

/** Whether there is a transcript where one should be: the first chapter that has files decides. */
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
 * The clips of a subset, reader by reader.
 *
 * @param path The subset's folder.
 * @param onFault Is told what is wrong.
 * @throws {SyntaxError} If a transcript has no audio, audio has no transcript, a line has no text, or a name is there
 * twice.
 */
export async function readSubset(
  _dir: string,
  path: string,
  _task: Task,
  onFault: OnFault,
): Promise<Utterance[]> {
  const utterances: Utterance[] = [];
  for (const reader of await foldersIn(path)) {
    for (const chapter of await foldersIn(`${path}/${reader}`)) {
      utterances.push(...await readChapter(`${path}/${reader}/${chapter}`, reader, onFault));
    }
  }
  return utterances;
}

async function readChapter(path: string, speaker: string, onFault: OnFault): Promise<Utterance[]> {
  const names = (await readFolder(path)).map(({ name }) => name);
  const audio = new Map(names.filter((name) => AUDIO_NAME.test(name)).map((name) => [stem(name), name]));
  const utterances: Utterance[] = [];
  const seen = new Map<string, string>();
  for (const file of names.filter((name) => name.endsWith(".trans.txt"))) {
    await forEachLine(await readLines(`${path}/${file}`), onFault, ({ at, text: line }) => {
      const [, id, text] = line.match(/^(\S+)(?:\s+(.*))?$/)!;
      const before = seen.get(id!);
      if (before) refuseLine(at, "a name must stand for one clip", `${id} is already in ${before}`);
      seen.set(id!, at);
      const name = audio.get(id!);
      if (!name) refuseLine(at, "every transcript needs its audio", `there is no ${path}/${id}.flac or .wav`);
      if (!text) refuseLine(at, "a name is followed by its text", `${id} has none`);
      utterances.push({ id: id!, audio: `${path}/${name}`, text: text!, speaker });
    });
  }
  for (const [id, name] of audio) {
    if (!seen.has(id)) {
      onFault(faultOf(`${path}/${name}`, "every clip needs a line in a .trans.txt", "it has none"));
    }
  }
  return utterances;
}

function stem(name: string): string {
  return name.replace(AUDIO_NAME, "");
}
