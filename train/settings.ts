// The options of a training that a user sets, with their defaults. The command line takes its defaults from here.

import type { Regularization } from "./regularize.ts";
import type { ScheduleKind } from "./schedule.ts";

/** Options that training and pruning share. */
export interface CommonSettings extends Regularization {
  /** Seconds of audio per step, padding included; default: 32. */
  readonly batchSeconds: number;
  /** Micro-batches that a step is split into, to save memory; default: 1. */
  readonly gradAccumSteps: number;
  /** Gradient checkpointing: less memory, about a third more time; default: false. */
  readonly gradCheckpoint: boolean;
  /** Gradients are scaled down to this norm. */
  readonly maxGradNorm: number;
  /** Weight decay, not applied to biases and norms. */
  readonly weightDecay: number;
  /** Whether utterances are played at 0.9, 1 or 1.1 times their speed; default: false. */
  readonly speedPerturbation: boolean;
  /** Share of the utterances with added noise, 5 to 25 dB SNR; default: 0. */
  readonly noise: number;
  /** Seconds that utterances of a speaker are joined up to; 0: they are not joined, the default. */
  readonly join: number;
  /** Steps between saved states; default: 100. */
  readonly saveEvery: number;
  /** Random seed, a whole number below 2^32; default: 0. */
  readonly seed: number;
}

/** Options of a training. */
export interface TrainSettings extends CommonSettings {
  /** Optimizer steps; default: 1000. */
  readonly steps: number;
  /** Peak learning rate; default: 1e-4. */
  readonly lr: number;
  /** Steps in which the learning rate rises; default: a tenth of `steps`. */
  readonly warmup: number;
  /** Learning-rate schedule after the warm-up; default: `tri-stage`. */
  readonly schedule: ScheduleKind;
  /** Whether the feature encoder's weights stay as they are; default: false. */
  readonly freezeFeatureEncoder: boolean;
  /** Training ends after so many evaluations without improvement; 0: it does not, the default. */
  readonly patience: number;
  /** Steps between evaluations; default: 200. */
  readonly evalEvery: number;
}

/** Defaults of the options that training and pruning share. */
export const COMMON_DEFAULTS = {
  batchSeconds: 32,
  gradAccumSteps: 1,
  gradCheckpoint: false,
  maxGradNorm: 5,
  weightDecay: 0.01,
  speedPerturbation: false,
  noise: 0,
  join: 0,
  saveEvery: 100,
  seed: 0,
} as const;

/** Names of the options of {@linkcode Regularization}. */
export const REGULARIZATION_NAMES = [
  "dropout",
  "maskProb",
] as const satisfies readonly (keyof Regularization)[];

/** Peak learning rate of a training from random weights. */
export const RANDOM_START_LR = 2e-3;

/** Defaults of a training. A function computes its value from the options before it. */
export const TRAIN_DEFAULTS = {
  ...COMMON_DEFAULTS,
  steps: 1000,
  lr: 1e-4,
  warmup: ({ steps }: { readonly steps: number }): number => Math.round(steps / 10),
  schedule: "tri-stage",
  freezeFeatureEncoder: false,
  patience: 0,
  evalEvery: 200,
} as const satisfies Defaults<TrainSettings>;

/** Default values, or functions of the options before them. */
export type Defaults<T> = { readonly [K in keyof T]?: T[K] | ((settings: never) => T[K]) };

/**
 * Fills in defaults.
 *
 * @param defaults Values, or functions of the options before them.
 * @param given The options that are given.
 */
export function fillDefaults<T extends object>(defaults: Defaults<T>, given: Partial<T>): T {
  const settings: Record<string, unknown> = { ...given };
  for (const [name, value] of Object.entries(defaults)) {
    settings[name] ??= typeof value === "function" ? value(settings as never) : value;
  }
  return settings as T;
}

/** Names of all options of a training. */
export const TRAIN_NAMES: readonly string[] = [...Object.keys(TRAIN_DEFAULTS), ...REGULARIZATION_NAMES];
