// What is in a subset of a corpus, and what is wrong with its transcripts.
import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";
import type { UtteranceCheck } from "./check_worker.ts";
import type { Utterance } from "./corpus.ts";
import { letterCaseOf, normalizeText } from "./vocabulary.ts";

/** What a subset is found to be. */
export interface SubsetReport {
  /** As the corpus calls it. */
  readonly name: string;
  /** Clips that are listed and there. */
  readonly clips: number;
  /** Different speakers; 0 where they are not known. */
  readonly speakers: number;
  /** Lengths in seconds; those of broken clips are left out. */
  readonly seconds: {
    readonly all: number;
    readonly least: number;
    readonly median: number;
    readonly most: number;
  };
  /** Clips by sample rate, Hz. */
  readonly sampleRates: Readonly<Record<string, number>>;
  /** Words in transcripts, and different ones. */
  readonly words?: { readonly all: number; readonly different: number };
  /** Clips by class. */
  readonly classes?: Readonly<Record<string, number>>;
}

/** Transcripts without letters, or with characters that the vocabulary lacks; ten of a subset at most. */
export function faultsOfTexts(
  name: string,
  utterances: readonly Utterance[],
  tokenizer?: CtcTokenizer,
): string[] {
  if (!tokenizer) return [];
  const letterCase = letterCaseOf(tokenizer);
  const faults = utterances.flatMap(({ id, text }) => {
    if (text === undefined) return [];
    const normal = normalizeText(text, letterCase);
    if (normal === "") return [`Cannot use ${id} of ${name} as its transcript must have letters: ${text}`];
    const missing = tokenizer.missing(normal);
    if (missing.length === 0) return [];
    return [
      `Cannot use ${id} of ${name} as its characters must be in the vocabulary: ${missing.join(" ")} not`,
    ];
  });
  const more = faults.length - 10;
  return more > 0
    ? [...faults.slice(0, 10), `Cannot use ${more} more clips of ${name} as those: see above`]
    : faults;
}

/** Counts a subset. @param clips What the files are found to be, by path. */
export function sumUp(
  name: string,
  utterances: readonly Utterance[],
  clips: ReadonlyMap<string, UtteranceCheck>,
): SubsetReport {
  const sound = utterances.flatMap(({ audio }) => clips.get(audio) ?? []);
  const lengths = sound.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const words = utterances.flatMap(({ text }) => text === undefined ? [] : normalizeText(text).split(" "));
  const classes = utterances.flatMap(({ intent }) => intent ?? []);
  return {
    name,
    clips: utterances.length,
    speakers: new Set(utterances.flatMap(({ speaker }) => speaker ?? [])).size,
    seconds: {
      all: lengths.reduce((sum, seconds) => sum + seconds, 0),
      least: lengths[0] ?? 0,
      median: lengths[lengths.length >> 1] ?? 0,
      most: lengths.at(-1) ?? 0,
    },
    sampleRates: count(sound.map(({ sampleRate }) => String(sampleRate))),
    ...words.length > 0 && { words: { all: words.length, different: new Set(words).size } },
    ...classes.length > 0 && { classes: count(classes) },
  };
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** What is odd about subsets, a line each. */
export function oddities(subsets: readonly SubsetReport[]): string[] {
  const notes: string[] = [];
  const train = subsets.filter(({ name }) => name.startsWith("train"));
  for (const { name, sampleRates, classes = {} } of subsets) {
    const others = Object.entries(sampleRates).filter(([rate]) => rate !== "16000");
    for (const [rate, clips] of others) {
      notes.push(`${name}: ${clips} clips of ${rate} Hz are resampled to 16000 Hz`);
    }
    const sizes = Object.values(classes);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    if (sizes.length > 0 && most > 10 * least) {
      notes.push(`${name}: the largest class has ${most} clips, the least ${least}`);
    }
    const unknown = Object.keys(classes).filter((one) =>
      !train.some((subset) => one in (subset.classes ?? {}))
    );
    if (train.length > 0 && unknown.length > 0) {
      notes.push(`${name}: no training clip is of class ${unknown.join(", ")}`);
    }
  }
  return notes;
}
