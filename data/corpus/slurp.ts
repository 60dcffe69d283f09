import type { Task, Utterance } from "./corpus.ts";
import { AUDIO_NAME, readFolder } from "./folders.ts";
import {
  forEachLine,
  type OnFault,
  readLines,
  readRow,
  refuseLine,
  secondsField,
  textField,
} from "./lines.ts";

/** How the layout is called in errors. */
export const layoutName = "dataset/slurp/*.jsonl as SLURP";

/**
 * The subsets of a folder in the layout of SLURP (Bastianelli et al., "SLURP: a spoken language understanding resource
 * package", EMNLP 2020).
 *
 * @param dir The folder with `dataset` and `audio`.
 * @returns Paths of the subsets' files by name; empty where the layout is another.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  const folder = `${dir}/dataset/slurp`;
  const names = (await readFolder(folder)).map(({ name }) => name).filter((name) => name.endsWith(".jsonl"));
  return new Map(names.map((name) => [name.replace(/\.jsonl$/, ""), `${folder}/${name}`]));
}

/**
 * The recordings of a subset. The class is `scenario_action`: the field `intent` differs from it in some rows.
 *
 * @param dir The corpus.
 * @param path The subset's file.
 * @param task What the corpus is for.
 * @param onFault Is told what is wrong.
 * @throws {SyntaxError} If a row is no JSON, lacks scenario, action or, for `asr`, the sentence, or its audio is
 * missing or listed twice.
 */
export async function readSubset(
  dir: string,
  path: string,
  task: Task,
  onFault: OnFault,
): Promise<Utterance[]> {
  const audio = new Map<string, string>();
  for (const folder of ["slurp_real", "slurp_synth"].map((name) => `${dir}/audio/${name}`)) {
    for (const { name } of await readFolder(folder)) audio.set(name, `${folder}/${name}`);
  }
  const utterances: Utterance[] = [];
  const seen = new Map<string, string>();
  await forEachLine(await readLines(path), onFault, (line) => {
    const { at } = line;
    const row = readRow(line);
    const text = textField(at, row, "sentence");
    const [scenario, action] = [textField(at, row, "scenario"), textField(at, row, "action")];
    if (task === "asr" && !text) {
      refuseLine(at, "speech recognition needs transcripts", "its sentence is empty; --task slu needs none");
    }
    if (task === "slu" && !(scenario && action)) {
      refuseLine(
        at,
        "a class is made of scenario and action",
        `${scenario ? "action" : "scenario"} is missing`,
      );
    }
    for (const recording of recordingsOf(at, row)) {
      const file = textField(at, recording, "file") ??
        refuseLine(at, "a recording names its file", "one has none");
      const found = audio.get(file);
      if (!found) {
        refuseLine(at, "every recording needs its audio", `there is no ${dir}/audio/slurp_real/${file}`);
      }
      const before = seen.get(file);
      if (before) refuseLine(at, "a recording is listed once", `${file} is already in ${before}`);
      seen.set(file, at);
      const speaker = textField(at, recording, "speaker");
      const seconds = secondsField(recording);
      utterances.push({
        id: file.replace(AUDIO_NAME, ""),
        audio: found,
        ...text && { text },
        ...scenario && action && { intent: `${scenario}_${action}` },
        ...speaker && { speaker },
        ...seconds && { seconds },
      });
    }
  });
  return utterances;
}

function recordingsOf(
  at: string,
  row: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>>[] {
  const { recordings } = row as { recordings?: unknown };
  if (!Array.isArray(recordings) || recordings.some((one) => typeof one !== "object" || one === null)) {
    refuseLine(at, "recordings must be a list of objects", JSON.stringify(recordings) ?? "it is missing");
  }
  return recordings;
}
