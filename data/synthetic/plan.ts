import { shuffle } from "../../random/shuffle.ts";
import { allSentences } from "./grammar.ts";

/** Voices of the training, dev and test subsets: a Scot and an American by statistics, an American by diphones. */
export const VOICES = ["awb", "kal16", "slt"] as const;
/** Voice that only `test-other` has: an American by statistics. */
export const HELD_OUT_VOICE = "rms";

/** A voice of the synthesiser. */
export type Voice = typeof VOICES[number] | typeof HELD_OUT_VOICE;

/** Subsets as LibriSpeech and as SLURP would call them. */
export const SUBSETS = {
  "train-clean": "train",
  "dev-clean": "devel",
  "test-clean": "test",
  "test-other": "test_other",
} as const;

/** A subset of the corpus. */
export type CommandSubset = keyof typeof SUBSETS;

/** How much to say. */
export interface CommandCounts {
  /** Sentences to train with. */
  readonly train: number;
  /** Sentences to choose a checkpoint with. */
  readonly dev: number;
  /** Sentences to test with; each is spoken twice, the second time by the held-out voice. */
  readonly test: number;
  /** Seed of the choice, a whole number below 2^32. */
  readonly seed: number;
}

/** A sentence to be spoken. */
export interface Line {
  /** Where it belongs. */
  readonly subset: CommandSubset;
  /** Place in its subset, from 0. */
  readonly index: number;
  /** Class, `scenario_action`. */
  readonly intent: string;
  /** Lower case. */
  readonly text: string;
  /** Who speaks it. */
  readonly voice: Voice;
}

/**
 * Chooses what is said and by whom: the same for the same counts and seed. No sentence is in two subsets, except that
 * `test-other` repeats those of `test-clean`; classes and, within a class, templates have equal shares as far as they
 * have sentences left. The choice for testing depends on the seed and `test` alone.
 *
 * @param counts How much of what.
 * @returns Lines, subset by subset.
 * @throws {RangeError} If there are not as many sentences, or the seed is none.
 *
 * @example
 * ```ts
 * import { planCommands } from "./plan.ts";
 *
 * const lines = planCommands({ train: 20, dev: 0, test: 0, seed: 0 }); // a sentence of each class
 * ```
 */
export function planCommands({ train, dev, test, seed }: CommandCounts): Line[] {
  const queues = [...allSentences()].map(([intent, templates]) => ({
    intent,
    texts: interleave(
      templates.map((texts, i) => shuffle(texts, { seed, purpose: `commands ${intent}`, step: i })),
    ),
  }));
  const most = queues.reduce((sum, { texts }) => sum + texts.length, 0);
  const wanted = train + dev + test;
  if (wanted > most) {
    throw new RangeError(
      `Cannot make spoken commands as there are ${most} sentences: ${wanted} are asked for`,
    );
  }
  const take = (subset: CommandSubset, count: number): Line[] => {
    const voices = shuffle(
      Array.from({ length: count }, (_, i) => VOICES[i % VOICES.length]!),
      { seed, purpose: `commands voices ${subset}`, step: 0 },
    );
    const lines: Line[] = [];
    for (let turn = 0; lines.length < count; turn++) {
      const { intent, texts } = queues[turn % queues.length]!;
      const text = texts.shift();
      if (text === undefined) continue;
      lines.push({ subset, index: lines.length, intent, text, voice: voices[lines.length]! });
    }
    return lines;
  };
  const clean = take("test-clean", test);
  const other = clean.map((line): Line => ({ ...line, subset: "test-other", voice: HELD_OUT_VOICE }));
  const devLines = take("dev-clean", dev);
  return [...take("train-clean", train), ...devLines, ...clean, ...other];
}

/** The first of each list, then the second of each, and so on, without doubles. */
function interleave(lists: readonly (readonly string[])[]): string[] {
  const longest = Math.max(...lists.map((list) => list.length));
  const turns = Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1)));
  return [...new Set(turns.flat())];
}
