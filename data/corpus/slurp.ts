// Reads the layout of SLURP (Bastianelli et al., "SLURP: a spoken language understanding resource package", EMNLP 2020).
import { AUDIO_NAME, readFolder } from "./folders.ts";
import { findJsonl, isObject, readJsonl, type Row, textField, utteranceOf } from "./jsonl.ts";
import { refuseLine } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import type { ReadOptions, Utterance } from "./utterance.ts";

/** Name of the layout for errors. */
export const layoutName = "dataset/slurp/*.jsonl as SLURP";

/**
 * Finds the subsets of a corpus in the layout of SLURP.
 *
 * @param dir The folder with `dataset` and `audio`.
 * @returns Paths of the subsets' files by name; empty if the folder has another layout.
 */
export function findSubsets(dir: string): Promise<Map<string, string>> {
  return findJsonl(`${dir}/dataset/slurp`);
}

/**
 * Reads the recordings of a subset. The class is `scenario_action`: the field `intent` differs from it in some rows.
 *
 * @param dir Folder of the corpus.
 * @param path Path of the subset's file.
 * @param options Task, and where errors go: odd are a recording without audio, and one that several sentences list.
 * @throws {SyntaxError} If a row is not JSON, or lacks scenario, action or, for `asr`, the sentence.
 */
export async function readSubset(
  dir: string,
  path: string,
  { task, onError }: ReadOptions,
): Promise<Utterance[]> {
  const audio = new Map<string, string>();
  for (const folder of ["slurp_real", "slurp_synth"].map((name) => `${dir}/audio/${name}`)) {
    for (const { name } of await readFolder(folder)) audio.set(name, `${folder}/${name}`);
  }
  return await readJsonl(path, {
    task,
    onError,
    *utterancesOf(row) {
      const text = textField(row, "sentence");
      const [scenario, action] = [textField(row, "scenario"), textField(row, "action")];
      if (task === "slu" && !(scenario && action)) {
        const missing = scenario ? "action" : "scenario";
        refuseLine(row.at, "a class is made of scenario and action", `${missing} is missing`);
      }
      const intent = scenario && action && `${scenario}_${action}`;
      for (const recording of recordingsOf(row)) {
        const file = textField(recording, "file") ??
          refuseLine(row.at, "a recording must name its file", "one does not");
        const found = audio.get(file);
        if (found === undefined) {
          const missing = `there is no ${dir}/audio/slurp_real/${file}`;
          onError(
            new OddRow("audio", { name: file, at: row.at }, "every recording needs its audio", missing),
          );
          continue;
        }
        yield utteranceOf(recording, task, { id: file.replace(AUDIO_NAME, ""), audio: found, text, intent });
      }
    },
  });
}

function recordingsOf({ at, fields }: Row): Row[] {
  const { recordings } = fields as { recordings?: unknown };
  if (!Array.isArray(recordings) || !recordings.every(isObject)) {
    return refuseLine(
      at,
      "recordings must be a list of objects",
      JSON.stringify(recordings) ?? "it is missing",
    );
  }
  return recordings.map((fields) => ({ at, fields }));
}
