// Builds a corpus of human speech from Debian's packages of Asterisk's prompts.
import { loadAudio } from "../audio/audio.ts";
import { encodeFlac } from "../audio/flac_write.ts";
import { shuffle } from "../../random/shuffle.ts";
import { normalizeText } from "../corpus/vocabulary.ts";
import { encodeWav, toInt16 } from "../audio/wav_write.ts";
import { fileError, makeFolder, writeFileAtomic } from "../../files/atomic_file.ts";
import { writeWholeFolder } from "../../files/whole_folder.ts";

/** Options of {@linkcode makeAsterisk}. */
export interface AsteriskOptions {
  /** Folder to create, which must not exist. */
  readonly out: string;
  /** Format of the files, 16 bits; default WAV. */
  readonly format?: "wav" | "flac";
  /** Random seed of the split; default 0. */
  readonly seed?: number;
  /** Ends the work; nothing is left of it. */
  readonly signal?: AbortSignal;
  /** Folder of the prompts; default that of Debian's package. */
  readonly sounds?: string;
  /** File of their texts, gzip; default that of Debian's package. */
  readonly texts?: string;
}

/** A prompt with its transcript. */
interface Prompt {
  readonly path: string;
  /** Normalised transcript. */
  readonly text: string;
}

const SOUNDS = "/usr/share/asterisk/sounds/en_US_f_Allison";
const TEXTS = "/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz";
const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const READER = "9701";

/**
 * Makes a corpus of human speech in the layout of LibriSpeech from Debian's packages of Asterisk's prompts: one speaker,
 * Allison Smith (CC BY-SA 3.0). Sounds and silence are skipped, and texts with numbers of several digits, whose reading is
 * ambiguous. A tenth of the texts goes to dev, another tenth to test; no text is in two subsets.
 *
 * @param options Folder, format and seed.
 * @returns Number of utterances and seconds of each subset.
 * @throws {TypeError} If the packages are not installed; the message states how to install them.
 * @throws {Error} If the folder exists or cannot be written, or a prompt is broken.
 *
 * @example
 * ```ts ignore
 * const { "train-clean": { seconds } } = await makeAsterisk({ out: "asterisk" });
 * ```
 */
export async function makeAsterisk(
  { out, format = "wav", seed = 0, signal, sounds = SOUNDS, texts = TEXTS }: AsteriskOptions,
): Promise<Record<string, { clips: number; seconds: number }>> {
  await refuseExisting(out);
  const prompts = await readPrompts(sounds, texts);
  return await writeWholeFolder(out, async (partial) => {
    await refuseExisting(out);
    const made: Record<string, { clips: number; seconds: number }> = {};
    let chapter = 0;
    for (const [subset, utterances] of split(prompts, seed)) {
      const name = `${READER}-${READER}${chapter}`;
      const folder = `${partial}/${subset}/${READER}/${READER}${chapter++}`;
      await makeFolder(folder);
      let lines = "";
      let total = 0;
      for (const [i, { path, text }] of utterances.entries()) {
        const id = `${name}-${String(i).padStart(4, "0")}`;
        signal?.throwIfAborted();
        const { samples, sampleRate } = await loadAudio(path);
        const encode = format === "flac" ? encodeFlac : encodeWav;
        const bytes = await encode(toInt16(samples), sampleRate);
        await writeFileAtomic(`${folder}/${id}.${format}`, bytes, { flush: false });
        lines += `${id} ${text}\n`;
        total += samples.length / sampleRate;
      }
      await writeFileAtomic(`${folder}/${name}.trans.txt`, lines);
      made[subset] = { clips: utterances.length, seconds: total };
    }
    return made;
  });
}

async function refuseExisting(out: string): Promise<void> {
  if (await exists(out)) throw new Error(`Cannot make ${out} as it must be a new folder: it exists`);
}

/** All prompts with an unambiguous text, sorted by path. */
async function readPrompts(sounds: string, texts: string): Promise<Prompt[]> {
  const file = await Deno.open(texts).catch(() => null);
  if (!file || !await exists(sounds)) {
    file?.close();
    const missing = file ? sounds : texts;
    throw new TypeError(
      "Cannot make the Asterisk corpus as its packages must be installed" +
        ` (apt-get install asterisk-core-sounds-en-g722 asterisk-core-sounds-en): there is no ${missing}`,
    );
  }
  const unpacked = file.readable.pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(unpacked).text().catch((error) => {
    throw fileError("read", texts, error);
  });
  const prompts: Prompt[] = [];
  for (const line of text.split("\n")) {
    const [, name, written] = line.match(/^([\w/-]+):\s*(.+)$/) ?? [];
    const spoken = written === undefined ? null : spokenText(written);
    const path = `${sounds}/${name}.g722`;
    if (spoken && await exists(path)) prompts.push({ path, text: spoken });
  }
  return prompts.sort((a, b) => a.path < b.path ? -1 : 1);
}

/**
 * The normalised transcript of a prompt's text.
 *
 * @param text As in the package: `Press 1 [then *].`
 * @returns Null if it is ambiguous: notes in brackets, numbers of several digits, no letters.
 */
export function spokenText(text: string): string | null {
  const plain = text
    // A symbol that explains a word: dash [-].
    .replace(/\s*\[[^\w\s]\s*\]/g, "")
    .replaceAll("*", " star ")
    .replaceAll("#", " pound ")
    .replace(/(?<![\w.])\d(?!\w|\.\d)/g, (digit) => DIGITS[Number(digit)]!);
  if (/[\d[\]()<>@]/.test(plain)) return null;
  return normalizeText(plain) || null;
}

/** Splits the prompts by text: a tenth to dev, a tenth to test, the others to train. */
function split(prompts: readonly Prompt[], seed: number): Map<string, Prompt[]> {
  const groups = [...Map.groupBy(prompts, ({ text }) => text).values()];
  const subsets = new Map<string, Prompt[]>([["train-clean", []], ["dev-clean", []], ["test-clean", []]]);
  for (const group of shuffle(groups, { seed, purpose: "asterisk split", step: 0 })) {
    const subset = ["dev-clean", "test-clean"].find((name) =>
      subsets.get(name)!.length < prompts.length / 10
    );
    subsets.get(subset ?? "train-clean")!.push(...group);
  }
  return subsets;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
