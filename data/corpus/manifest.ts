// Reads manifests: JSON Lines files with an utterance in each line.
import { findJsonl, readJsonl, type Row, textField, transcriptField, utteranceOf } from "./jsonl.ts";
import { refuseLine } from "./lines.ts";
import type { OnError, OnNote, Task, Utterance } from "./utterance.ts";

/** Name of the layout for errors. */
export const layoutName = "a manifest SUBSET.jsonl";

/**
 * Finds manifests.
 *
 * @param dir A manifest, which is one subset with an empty name, or a folder of manifests.
 * @returns Paths of the manifests by name, without `.jsonl`.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  const isFile = await Deno.stat(dir).then((found) => found.isFile, () => false);
  return isFile ? new Map([["", dir]]) : await findJsonl(dir);
}

/**
 * Reads a manifest: a JSON object in each line, with `audio`, and `text` for `asr` or `intent` for `slu`. The id is the
 * field `id`, or else `audio`. Manifests of NeMo and ESPnet have `audio_filepath` for `audio`, and `duration` for `seconds`;
 * their `offset` must be 0, which is checked once a file.
 *
 * @param path Path of the manifest.
 * @param task Task of the corpus.
 * @param onError Receives errors.
 * @param onNote Receives a note on repeated utterances.
 * @throws {SyntaxError} If a line has another form, an audio file is missing, or an id is not unique.
 */
export async function readSubset(
  _dir: string,
  path: string,
  task: Task,
  onError: OnError,
  onNote: OnNote,
): Promise<Utterance[]> {
  const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : ".";
  let hasOffset = false;
  return await readJsonl(path, {
    task,
    onError,
    onNote,
    async *utterancesOf(row) {
      const { offset = 0 } = row.fields;
      if (offset !== null && offset !== 0) {
        if (hasOffset) return;
        hasOffset = true;
        const rule = "each utterance must be a whole file (offset 0): cut the recordings";
        refuseLine(row.at, rule, `offset is ${JSON.stringify(offset)}, later ones are not reported`);
      }
      yield await readUtterance(row, folder, task);
    },
  });
}

async function readUtterance(row: Row, folder: string, task: Task): Promise<Utterance> {
  const file = textField(row, "audio") ?? textField(row, "audio_filepath") ??
    refuseLine(row.at, "audio must name a file", "it is missing");
  const audio = /^([/\\]|[A-Za-z]:[/\\])/.test(file) ? file : `${folder}/${file}`;
  if (!await Deno.stat(audio).then((found) => found.isFile, () => false)) {
    refuseLine(row.at, "every utterance needs its audio", `there is no file ${audio}`);
  }
  const [text, intent] = [transcriptField(row, "text"), textField(row, "intent")];
  return utteranceOf(row, task, { id: textField(row, "id") ?? file, audio, text, intent });
}
