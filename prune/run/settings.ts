// The options of pruning that a user sets, with their defaults. The command line takes its defaults from here.

import {
  COMMON_DEFAULTS,
  type CommonSettings,
  type Defaults,
  REGULARIZATION_NAMES,
} from "../../train/settings.ts";
import { UNIT_KINDS, type UnitKind } from "../groups.ts";
import { type Ramp, RAMPS } from "../lagrangian.ts";
import { type Method, METHODS } from "../method.ts";

/** Options of pruning and of the fine-tuning after it. */
export interface PruneSettings extends CommonSettings {
  /**
   * What `target` is a share of: MACs (`mac`), parameters (`size`), or the parameters of convolutions and Transformer
   * separately (`sep-size`); or a baseline by MACs: the same share of every layer (`uniform`), or no convolutions
   * (`transformer-only`); or the control (`none`): the model trained on in the same way, with nothing removed and no target.
   * Default: `mac`.
   */
  readonly method: Method;
  /** Share to remove, 0 to 1; default: 0.5. */
  readonly target: number;
  /** `sep-size`: share of the convolutions' parameters to remove; default: `target`. */
  readonly targetConv?: number | undefined;
  /** `sep-size`: share of the Transformer's parameters to remove; default: `target`. */
  readonly targetTransformer?: number | undefined;
  /** Kinds of units that may be pruned; default: all. */
  readonly kinds: readonly UnitKind[];
  /** Kept widths are rounded to multiples of it; default: 1. */
  readonly roundTo: number;
  /** Seconds of audio that MACs are counted for; default: 10. */
  readonly seconds: number;
  /** Pruning steps; default: 2000. */
  readonly steps: number;
  /** Steps in which the target rises from 0; default: three quarters of `steps`. */
  readonly warmup: number;
  /** How the target rises: evenly, or ever more slowly; default: `quadratic`. */
  readonly ramp: Ramp;
  /** Learning rate of the gates; default: 100 / `steps`, between 0.02 and 0.1. */
  readonly gateLr: number;
  /** Learning rate of the Lagrange multipliers; default: twice `gateLr`. */
  readonly lambdaLr: number;
  /** Whether the compact model's weights are written as F16; default: false. */
  readonly half: boolean;
  /** Peak learning rate of the weights; default: 1e-4. */
  readonly lr: number;
  /** Fine-tuning steps after pruning, 0 for none; default: half of `steps`. */
  readonly finetuneSteps: number;
  /** Peak learning rate of fine-tuning; default: `lr`. */
  readonly finetuneLr: number;
  /** Weight of the distillation loss against the model before pruning, 0 to 1; default: 0.9. */
  readonly distill: number;
  /** Steps between evaluations on `dev`; default: a quarter of each phase. */
  readonly evalEvery?: number | undefined;
}

type Steps = { readonly steps: number };

/** Defaults of pruning. A function computes its value from the options before it. */
export const PRUNE_DEFAULTS = {
  ...COMMON_DEFAULTS,
  maxGradNorm: 10,
  weightDecay: 0,
  method: "mac",
  target: 0.5,
  kinds: UNIT_KINDS,
  roundTo: 1,
  seconds: 10,
  steps: 2000,
  warmup: ({ steps }: Steps): number => Math.round(0.75 * steps),
  ramp: "quadratic",
  gateLr: ({ steps }: Steps): number => Math.min(0.1, Math.max(0.02, 100 / steps)),
  lambdaLr: ({ gateLr }: { readonly gateLr: number }): number => 2 * gateLr,
  half: false,
  lr: 1e-4,
  finetuneSteps: ({ steps }: Steps): number => Math.max(1, Math.round(steps / 2)),
  finetuneLr: ({ lr }: { readonly lr: number }): number => lr,
  distill: 0.9,
} as const satisfies Defaults<PruneSettings>;

/** Names of all options. */
export const PRUNE_NAMES: readonly string[] = [
  ...Object.keys(PRUNE_DEFAULTS),
  ...REGULARIZATION_NAMES,
  ...["targetConv", "targetTransformer", "evalEvery"] satisfies (keyof PruneSettings)[],
];

/** Options that are one of a few words. */
export const PRUNE_CHOICES = { method: METHODS, ramp: RAMPS } as const;

/**
 * Refuses options that contradict each other or would have no effect.
 *
 * @param settings Options.
 * @param named Returns the name of an option for messages.
 * @throws {RangeError} If they do not fit together.
 */
export function checkTogether(
  { method, steps, warmup, target, ...targets }: PruneSettings,
  named: (name: string) => string,
): void {
  if (warmup > steps) {
    throw new RangeError(`Cannot prune as ${named("warmup")} must be at most the ${steps} steps: ${warmup}`);
  }
  const shares = [targets.targetConv ?? target, targets.targetTransformer ?? target];
  if (method !== "none" && shares.every((share) => share === 0)) {
    throw new RangeError(
      `Cannot prune as ${named("target")} must be above 0: it is 0 ` +
        `(${named("method")} none trains the model in the same way with nothing removed)`,
    );
  }
  for (const name of ["targetConv", "targetTransformer"] as const) {
    if (method === "sep-size" || targets[name] === undefined) continue;
    throw new RangeError(
      `Cannot prune as ${named(name)} requires ${named("method")} sep-size: the method is ${method}`,
    );
  }
}
