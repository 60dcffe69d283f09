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

/**
 * Refuses options that are out of range.
 *
 * @param task What is not done then: `prune`, `train`.
 * @param settings Options by name; those without bounds are ignored.
 * @throws {TypeError} If a value is not a number.
 * @throws {RangeError} If it is out of range.
 */
export function checkSettings(task: string, settings: object): void {
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
