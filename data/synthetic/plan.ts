// Plans the corpus of spoken commands: sentences, voices and subsets.
import { shuffle } from "../../random/shuffle.ts";
import { allSentences } from "./grammar.ts";

/**
 * Voices of the training, dev and test subsets: `awb` (Scottish) and `slt` (American) are statistical parametric voices,
 * `kal16` (American) is a diphone voice.
 */
export const VOICES = ["awb", "kal16", "slt"] as const;
/** Voice of `test-other` alone: a statistical parametric voice (American). */
export const HELD_OUT_VOICE = "rms";

/** A voice of Flite. */
export type Voice = typeof VOICES[number] | typeof HELD_OUT_VOICE;

/** Names of the subsets in LibriSpeech's layout, and in SLURP's. */
export const SUBSETS = {
  "train-clean": "train",
  "dev-clean": "devel",
  "test-clean": "test",
  "test-other": "test_other",
} as const;

/** A subset of the corpus. */
export type CommandSubset = keyof typeof SUBSETS;

/** Size of the corpus. */
export interface CommandCounts {
  /** Number of sentences for training. */
  readonly train: number;
  /** Number of sentences for choosing a checkpoint. */
  readonly dev: number;
  /** Number of sentences for testing; each is spoken twice, the second time by the held-out voice. */
  readonly test: number;
  /** Random seed, a whole number below 2^32. */
  readonly seed: number;
}

/** A sentence to synthesise. */
export interface Sentence {
  /** Subset. */
  readonly subset: CommandSubset;
  /** Index in its subset, from 0. */
  readonly index: number;
  /** Class, `scenario_action`. */
  readonly intent: string;
  /** Text in lower case. */
  readonly text: string;
  /** Voice that speaks it. */
  readonly voice: Voice;
}

/**
 * Chooses sentences and voices, deterministically for given counts and seed. No sentence is in two subsets, except that
 * `test-other` repeats those of `test-clean`. Classes and, within a class, templates have equal shares until one has no
 * sentences left. The choice for testing depends on the seed and `test` only.
 *
 * @param counts Number of sentences per subset, and the seed.
 * @returns Sentences, subset by subset.
 * @throws {RangeError} If the grammar has fewer sentences, or the seed is invalid.
 *
 * @example
 * ```ts
 * import { planCommands } from "./plan.ts";
 *
 * const sentences = planCommands({ train: 20, dev: 0, test: 0, seed: 0 }); // a sentence of each class
 * ```
 */
export function planCommands({ train, dev, test, seed }: CommandCounts): Sentence[] {
  const queues = [...allSentences()].map(([intent, templates]) => ({
    intent,
    texts: interleave(
      templates.map((texts, i) => shuffle(texts, { seed, purpose: `commands ${intent}`, step: i })),
    ),
  }));
  const available = queues.reduce((sum, { texts }) => sum + texts.length, 0);
  const requested = train + dev + test;
  if (requested > available) {
    throw new RangeError(
      `Cannot make spoken commands as there are ${available} sentences: ${requested} are requested`,
    );
  }
  const take = (subset: CommandSubset, count: number): Sentence[] => {
    const voices = shuffle(
      Array.from({ length: count }, (_, i) => VOICES[i % VOICES.length]!),
      { seed, purpose: `commands voices ${subset}`, step: 0 },
    );
    const taken: Sentence[] = [];
    for (let turn = 0; taken.length < count; turn++) {
      const { intent, texts } = queues[turn % queues.length]!;
      const text = texts.shift();
      if (text === undefined) continue;
      taken.push({ subset, index: taken.length, intent, text, voice: voices[taken.length]! });
    }
    return taken;
  };
  const clean = take("test-clean", test);
  const other = clean.map((sentence): Sentence => ({
    ...sentence,
    subset: "test-other",
    voice: HELD_OUT_VOICE,
  }));
  const devSentences = take("dev-clean", dev);
  return [...take("train-clean", train), ...devSentences, ...clean, ...other];
}

/** The first of each list, then the second of each, and so on, without duplicates. */
function interleave(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(...lists.map((list) => list.length));
  const turns = Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1)));
  return [...new Set(turns.flat())];
}
