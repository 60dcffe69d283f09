// Statistics of a subset of a corpus, and errors in its transcripts.
import type { CtcTokenizer } from "../../model/decode/tokenizer.ts";
import type { UtteranceCheck } from "./check_worker.ts";
import { escaped } from "./lines.ts";
import { placeName, type Utterance } from "./utterance.ts";
import { normalizeFor, normalizeText } from "./vocabulary.ts";

/** Statistics of a subset. */
export interface SubsetReport {
  /** Name of the subset. */
  readonly name: string;
  /** Number of utterances that are listed and whose file exists. */
  readonly clips: number;
  /** Number of speakers; 0 if unknown. */
  readonly speakers: number;
  /** Durations in seconds, without broken files. */
  readonly seconds: {
    readonly all: number;
    readonly least: number;
    readonly median: number;
    readonly most: number;
  };
  /** Number of utterances by sample rate in Hz. */
  readonly sampleRates: Readonly<Record<string, number>>;
  /** Number of words in the transcripts, and of different words. */
  readonly words?: { readonly all: number; readonly different: number };
  /** Number of utterances by class. */
  readonly classes?: Readonly<Record<string, number>>;
}

/** Errors of transcripts without letters, or with characters that the vocabulary lacks; at most ten per subset. */
export function textErrors(
  name: string,
  utterances: readonly Utterance[],
  tokenizer?: CtcTokenizer,
): string[] {
  if (!tokenizer) return [];
  const errors = utterances.flatMap(({ id, text }) => {
    if (!text?.trim()) return []; // no reference, or no speech
    const normal = normalizeFor(text, tokenizer);
    const where = `${escaped(id)} of ${escaped(name)}`;
    if (normal === "") return [`Cannot use ${where} as its transcript must have letters: ${escaped(text)}`];
    const missing = tokenizer.missing(normal);
    if (missing.length === 0) return [];
    return [
      `Cannot use ${where} as its characters must be in the vocabulary: ${escaped(missing.join(" "))} not`,
    ];
  });
  const more = errors.length - 10;
  return more > 0
    ? [...errors.slice(0, 10), `Cannot use ${more} more utterances of ${name} for the same reason`]
    : errors;
}

/** Statistics of a subset. @param checks Measurements of its audio, by {@linkcode placeName}. */
export function reportOf(
  name: string,
  utterances: readonly Utterance[],
  checks: ReadonlyMap<string, UtteranceCheck>,
): SubsetReport {
  const decoded = utterances.flatMap((utterance) => checks.get(placeName(utterance)) ?? []);
  const lengths = decoded.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const words = utterances.flatMap(({ text }) => normalizeText(text ?? "").split(" ").filter((word) => word));
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
    sampleRates: count(decoded.map(({ sampleRate }) => String(sampleRate))),
    ...words.length > 0 && { words: { all: words.length, different: new Set(words).size } },
    ...classes.length > 0 && { classes: count(classes) },
  };
}

function count(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** Notes on resampling, imbalanced classes, and classes without training data; one line each. */
export function noteOddities(subsets: readonly SubsetReport[]): string[] {
  const notes: string[] = [];
  const train = subsets.filter(({ name }) => name.startsWith("train"));
  for (const { name, sampleRates, classes = {} } of subsets) {
    const others = Object.entries(sampleRates).filter(([rate]) => rate !== "16000");
    for (const [rate, count] of others) {
      notes.push(`${name}: ${count} utterances of ${rate} Hz are resampled to 16000 Hz`);
    }
    const sizes = Object.values(classes);
    const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
    if (sizes.length > 0 && most > 10 * least) {
      notes.push(`${name}: the largest class has ${most} utterances, the smallest ${least}`);
    }
    const unknown = Object.keys(classes).filter((one) =>
      !train.some((subset) => one in (subset.classes ?? {}))
    );
    if (train.length > 0 && unknown.length > 0) {
      notes.push(`${name}: no training utterance has the class ${escaped(unknown.join(", "))}`);
    }
  }
  return notes;
}
