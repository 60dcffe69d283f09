// Reads manifests: JSON Lines files with an utterance in each line.
import type { Segment } from "../audio/segment.ts";
import { findJsonl, readJsonl, type Row, textField, transcriptField, utteranceOf } from "./jsonl.ts";
import { AudioFinder, folderOf, isFile, readFolder } from "./folders.ts";
import { refuseLine, streamLines } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import { placeName, type ReadOptions, type Utterance } from "./utterance.ts";

/** Name of the layout for errors. */
export const layoutName = "a manifest SUBSET.jsonl";

/**
 * Finds manifests.
 *
 * @param dir A manifest, which is one subset with an empty name, or a folder of manifests.
 * @returns Paths of the manifests by name, without `.jsonl`; or those that NeMo writes as `.json`, without `_manifest`.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  if (await isFile(dir)) return new Map([["", dir]]);
  const manifests = await findJsonl(dir);
  if (manifests.size > 0) return manifests;
  for (const { name, isFolder } of await readFolder(dir)) {
    const path = `${dir}/${name}`;
    if (isFolder || !name.endsWith(".json") || !await isNemo(path)) continue;
    manifests.set(name.slice(0, -5).replace(/^manifest[-_]|[-_]manifest$/, ""), path);
  }
  return manifests;
}

/** Whether the first line of a file is a row of a manifest of NeMo. */
async function isNemo(path: string): Promise<boolean> {
  for await (const { text } of streamLines(path)) return /^\s*\{.*"audio_filepath"/.test(text);
  return false;
}

/**
 * Reads a manifest: a JSON object in each line, with `audio`, and `text` for `asr` or `intent` for `slu`. The id is the
 * field `id`, or else `audio`. Manifests of NeMo and ESPnet have `audio_filepath` for `audio`, `duration` for `seconds`, and
 * `offset`: the utterance is then a part of the file. So is one without offset in a file that has such parts.
 *
 * @param path Path of the manifest.
 * @param options Task, and where errors go: odd are missing audio, an empty transcript, no length, and a repeated id.
 * @throws {SyntaxError} If a line has another form.
 */
export async function readSubset(
  _dir: string,
  path: string,
  { task, onError }: ReadOptions,
): Promise<Utterance[]> {
  const audio = new AudioFinder(folderOf(path));
  const utterances = await readJsonl(path, {
    task,
    onError,
    *utterancesOf(row) {
      const file = textField(row, "audio") ?? textField(row, "audio_filepath") ??
        refuseLine(row.at, "audio must name a file", "it is missing");
      const segment = segmentOf(row);
      const name = textField(row, "id") ?? placeName({ audio: file, ...segment && { segment } });
      const [text, intent] = [transcriptField(row, "text"), textField(row, "intent")];
      const found = audio.find(file, { name, at: row.at });
      const place = { id: name, audio: found, ...segment && { segment } };
      const utterance = utteranceOf(row, task, { ...place, text, intent });
      if (task === "asr" && text === "") {
        onError(new OddRow("empty", { name, at: row.at }, "a transcript must have text", "it is empty"));
      }
      yield utterance;
    },
  });
  const cut = new Set(utterances.flatMap(({ audio, segment }) => segment ? audio : []));
  return utterances.map((utterance) => {
    const { audio, segment, seconds } = utterance;
    return segment || seconds === undefined || !cut.has(audio)
      ? utterance
      : { ...utterance, segment: { offset: 0, seconds } };
  });
}

/** The part of its file that a row is; undefined for a whole file. */
function segmentOf({ at, fields }: Row): Segment | undefined {
  const { offset = null, duration = null, seconds = duration } = fields;
  if (offset === null || offset === 0) return undefined;
  const isNumber = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0;
  if (!isNumber(offset)) refuseLine(at, "offset must be seconds, at least 0", JSON.stringify(offset));
  if (seconds === null) return { offset: offset as number };
  if (!isNumber(seconds)) refuseLine(at, "duration must be seconds, at least 0", JSON.stringify(seconds));
  return { offset: offset as number, seconds: seconds as number };
}
