import { printable } from "../files/printable.ts";

/** What a value of an option may be. */
export interface Bounds {
  /** Least value; default: 0. */
  readonly least?: number;
  /** Greatest value; default: none. */
  readonly most?: number;
  /** Whether it must be a whole number. */
  readonly whole?: boolean;
}

const COUNT: Bounds = { least: 1, most: 1e8, whole: true };
const SHARE: Bounds = { most: 1 };

/** Bounds of the options of training and pruning, by name. The command line has the same. */
export const BOUNDS: Readonly<Record<string, Bounds>> = {
  steps: COUNT,
  finetuneSteps: { ...COUNT, least: 0 },
  warmup: { ...COUNT, least: 0 },
  evalEvery: COUNT,
  saveEvery: COUNT,
  patience: { ...COUNT, least: 0 },
  gradAccumSteps: { least: 1, most: 256, whole: true },
  roundTo: { least: 1, most: 1024, whole: true },
  seed: { most: 2 ** 32 - 1, whole: true },
  batchSeconds: { least: 0.1, most: 36_000 },
  seconds: { least: 0.025, most: 36_000 },
  join: { most: 36_000 },
  target: SHARE,
  targetConv: SHARE,
  targetTransformer: SHARE,
  distill: SHARE,
  noise: SHARE,
  maskProb: SHARE,
  dropout: { most: 0.999 },
  lr: { most: 1e38 },
  finetuneLr: { most: 1e38 },
  gateLr: { most: 1e38 },
  lambdaLr: { most: 1e38 },
  maxGradNorm: { least: 1e-9, most: 1e38 },
  weightDecay: { most: 1000 },
};

/** Options that are one of a few words. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  schedule: ["tri-stage", "linear", "constant"],
  task: ["asr", "slu"],
};

/**
 * Refuses options that there are not, which a program in JavaScript may give.
 *
 * @param task What is not done then: `prune`, `train`.
 * @param given Names and values of the options.
 * @param known Names of all options.
 * @throws {TypeError} If there is no utterance to train on.
 * @throws {RangeError} If a name is not known.
 */
export function checkNames(
  task: string,
  given: { readonly train?: unknown },
  known: readonly string[],
): void {
  if (given.train === undefined || given.train === null) {
    throw new TypeError(`Cannot ${task} as train is required: the path of a corpus, or utterances`);
  }
  const other = Object.entries(given).find(([name, value]) => value !== undefined && !known.includes(name));
  if (other) {
    throw new RangeError(`Cannot ${task} as an option must be known: there is no ${printable(other[0])}`);
  }
}

/**
 * Refuses options that are out of range.
 *
 * @param task What is not done then: `prune`, `train`.
 * @param settings Options by name; those without bounds are ignored.
 * @param choices More options that are one of a few words.
 * @throws {TypeError} If a value is not a number.
 * @throws {RangeError} If it is out of range, or not one of the words.
 */
export function checkSettings(task: string, settings: object, choices: typeof CHOICES = {}): void {
  for (const [name, words] of Object.entries({ ...CHOICES, ...choices })) {
    const value = (settings as Record<string, unknown>)[name];
    if (value === undefined || words.includes(value as string)) continue;
    throw new RangeError(
      `Cannot ${task} as ${name} must be one of ${words.join(", ")}: it is ${printable(String(value))}`,
    );
  }
  for (const [name, value] of Object.entries(settings)) {
    const bounds = Object.hasOwn(BOUNDS, name) && value !== undefined ? BOUNDS[name] : undefined;
    if (!bounds) continue;
    const { least = 0, most = Infinity, whole = false } = bounds;
    if (typeof value !== "number" || Number.isNaN(value)) {
      throw new TypeError(`Cannot ${task} as ${name} must be a number: it is ${JSON.stringify(value)}`);
    }
    if (value >= least && value <= most && !(whole && !Number.isInteger(value))) continue;
    throw new RangeError(
      `Cannot ${task} as ${name} must be a ${
        whole ? "whole number" : "number"
      } from ${least} to ${most}: it is ${value}`,
    );
  }
}
