import type { Task, Utterance } from "./corpus.ts";
import { readFolder } from "./folders.ts";
import {
  forEachLine,
  type OnFault,
  readLines,
  readRow,
  refuseLine,
  secondsField,
  textField,
  type TextLine,
} from "./lines.ts";

/** How the layout is called in errors. */
export const layoutName = "a manifest SUBSET.jsonl";

/**
 * The manifests that a path stands for.
 *
 * @param dir A manifest, which is one subset with an empty name, or a folder of manifests.
 * @returns Paths of the manifests by name, without `.jsonl`.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  if (await Deno.stat(dir).then((found) => found.isFile, () => false)) return new Map([["", dir]]);
  const names = (await readFolder(dir)).map(({ name }) => name).filter((name) => name.endsWith(".jsonl"));
  return new Map(names.map((name) => [name.replace(/\.jsonl$/, ""), `${dir}/${name}`]));
}

/**
 * The clips of a manifest: a JSON object in each line, with `audio`, and `text` for `asr` or `intent` for `slu`. A clip
 * is called by its `id`, else by its `audio`.
 *
 * @param path The manifest.
 * @param task What it is for.
 * @param onFault Is told what is wrong.
 * @throws {SyntaxError} If a line is not so, a file is missing, or a name is there twice.
 */
export async function readSubset(
  _dir: string,
  path: string,
  task: Task,
  onFault: OnFault,
): Promise<Utterance[]> {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  const utterances: Utterance[] = [];
  const seen = new Map<string, string>();
  await forEachLine(await readLines(path), onFault, async (line) => {
    const utterance = await readUtterance(line, folder, task);
    const before = seen.get(utterance.id);
    if (before) {
      refuseLine(line.at, "a name must stand for one clip", `${utterance.id} is already in ${before}`);
    }
    seen.set(utterance.id, line.at);
    utterances.push(utterance);
  });
  return utterances;
}

async function readUtterance(line: TextLine, folder: string, task: Task): Promise<Utterance> {
  const { at } = line;
  const row = readRow(line);
  const file = textField(at, row, "audio") ?? refuseLine(at, "audio must name a file", "it is missing");
  const audio = /^([/\\]|[A-Za-z]:[/\\])/.test(file) ? file : `${folder}/${file}`;
  if (!await Deno.stat(audio).then((found) => found.isFile, () => false)) {
    refuseLine(at, "every clip needs its audio", `there is no file ${audio}`);
  }
  const [text, intent] = [textField(at, row, "text"), textField(at, row, "intent")];
  if (task === "asr" && !text) refuseLine(at, "speech recognition needs a transcript", "text is missing");
  if (task === "slu" && !intent) refuseLine(at, "understanding needs a class", "intent is missing");
  const speaker = textField(at, row, "speaker");
  const seconds = secondsField(row);
  return {
    id: textField(at, row, "id") ?? file,
    audio,
    ...text && { text },
    ...intent && { intent },
    ...speaker && { speaker },
    ...seconds && { seconds },
  };
}
