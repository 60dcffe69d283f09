// The choice of the units to keep. Expected counts become whole numbers here, and the achieved cost is within the cost of
// one unit of the target.

import type { ModelConfig } from "../model/config.ts";
import { type UnitCounts, unitCounts } from "../model/costs.ts";
import { fitBudget } from "./fit_budget.ts";
import type { Constraint } from "./constraints.ts";
import { type UnitGroup, unitGroups, withCounts } from "./groups.ts";
import { evaluationCount, keptGate, ranked } from "./hard_concrete.ts";

/** The kept units of a group. */
export interface KeptUnits {
  /** Their indices among the units that the group has now, in rising order. */
  readonly indices: readonly number[];
  /** Their gates, above 0, which surgery folds into the weights. */
  readonly gates: readonly number[];
}

/** The kept units by group; groups without an entry keep all units. */
export type Choice = ReadonlyMap<string, KeptUnits>;

/** Options of {@linkcode chooseByGates} and {@linkcode chooseUniform}. */
export interface ChooseOptions {
  /** Architecture of the model to prune. */
  readonly config: ModelConfig;
  /** Costs and their targets. */
  readonly constraints: readonly Constraint[];
  /** Widths of convolutions and feed-forward layers are rounded to multiples of it; default: 1. */
  readonly roundTo?: number;
}

/**
 * Chooses units by their log-alphas: n − round(n − Σp) units of each group, then removes those with the lowest log-alphas
 * or adds those with the highest, until the target is met. Their gates are σ(0.8·a/β).
 *
 * @param logAlpha Log-alphas by group.
 * @param options Targets and rounding.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { chooseByGates, keptCounts } from "./choose.ts";
 * import { constraintsOf } from "./constraints.ts";
 * import { HardConcreteGates } from "./hard_concrete_gates.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const constraints = constraintsOf(config, { method: "mac", target: 0.5 });
 * const { logAlpha } = new HardConcreteGates({ config, constraints, seed: 1 });
 * const choice = chooseByGates(logAlpha, { config, constraints });
 * console.log(constraints[0]!.cost.removed(keptCounts(config, choice))); // 0.5000…
 * ```
 */
export function chooseByGates(
  logAlpha: ReadonlyMap<string, ArrayLike<number>>,
  options: ChooseOptions,
): Choice {
  return choose(logAlpha, options, {
    start: (groups) => groups.map(({ name }) => evaluationCount(logAlpha.get(name)!)),
    importance: (_group, scores, fewer, more) => mean(scores.slice(fewer, more)),
    gate: keptGate,
  });
}

/**
 * Chooses units for the baseline without gates: the same share of every group of a constraint, the units with the largest
 * magnitudes. Their gates are 1.
 *
 * @param magnitudes Magnitude of every unit by group, see {@linkcode unitMagnitudes}.
 * @param options Targets and rounding.
 *
 * @example
 * ```ts
 * import { readCheckpoint } from "../model/checkpoint/read.ts";
 * import { chooseUniform, keptCounts } from "./choose.ts";
 * import { constraintsOf } from "./constraints.ts";
 * import { unitMagnitudes } from "./magnitude.ts";
 *
 * const model = await readCheckpoint("tests/testdata/base");
 * const { config } = model;
 * const constraints = constraintsOf(config, { method: "mac", target: 0.2 });
 * const choice = chooseUniform(unitMagnitudes(model), { config, constraints });
 * console.log(keptCounts(config, choice).ffn); // about the same for every layer
 * ```
 */
export function chooseUniform(
  magnitudes: ReadonlyMap<string, ArrayLike<number>>,
  options: ChooseOptions,
): Choice {
  return choose(magnitudes, options, {
    start: (groups, units, { cost, target }) => {
      const countsAt = (share: number) => groups.map((group) => Math.max(group.least, share * group.units));
      const [goal, bounds] = [(1 - target) * cost.dense, [0, 1]];
      for (let i = 0; i < 50; i++) {
        const share = (bounds[0]! + bounds[1]!) / 2;
        bounds[cost.of(withCounts(units, groups, countsAt(share))) > goal ? 1 : 0] = share;
      }
      return countsAt(bounds[0]!);
    },
    // The larger the kept share of a group, the sooner it gives units.
    importance: ({ units }, _scores, fewer, more) => -(fewer + more) / units,
    gate: () => 1,
  });
}

/** Counts of kept units. @param config Architecture before pruning. @param choice Kept units. */
export function keptCounts(config: ModelConfig, choice: Choice): UnitCounts {
  const groups = unitGroups(config).filter(({ name }) => choice.has(name));
  return withCounts(unitCounts(config), groups, groups.map(({ name }) => choice.get(name)!.indices.length));
}

interface Rule {
  /** Counts to start from, fractional or not. */
  readonly start: (groups: UnitGroup[], units: UnitCounts, constraint: Constraint) => number[];
  /** Importance of the units ranked `fewer` to `more` in a group, given its scores in falling order. */
  readonly importance: (group: UnitGroup, scores: readonly number[], fewer: number, more: number) => number;
  /** Gate of a unit with this score. */
  readonly gate: (score: number) => number;
}

function choose(
  scores: ReadonlyMap<string, ArrayLike<number>>,
  { config, constraints, roundTo = 1 }: ChooseOptions,
  { start, importance, gate }: Rule,
): Choice {
  if (!(Number.isInteger(roundTo) && roundTo >= 1)) {
    throw new RangeError(
      `Cannot choose units as widths are rounded to a whole number from 1: found ${roundTo}`,
    );
  }
  const scored = unitGroups(config).filter(({ name }) => scores.has(name));
  const order = new Map(scored.map(({ name }) => [name, ranked(scores.get(name)!)]));
  let units = unitCounts(config);
  for (const constraint of constraints) {
    const { cost, target, kinds } = constraint;
    const groups = scored.filter(({ kind }) => kinds.includes(kind));
    const levels = groups.map((group) => levelsOf(group, group.kind === "heads" ? 1 : roundTo));
    const counts = start(groups, units, constraint).map((count, g) => nearestOf(levels[g]!, count));
    const sorted = groups.map(({ name }) => order.get(name)!.map((i) => scores.get(name)![i]!));
    units = fitBudget({
      cost,
      goal: (1 - target) * cost.dense,
      groups,
      levels,
      start: withCounts(units, groups, counts),
      importance: (g, fewer, more) => importance(groups[g]!, sorted[g]!, fewer, more),
    });
  }
  return new Map(scored.map(({ name, kind, layer }) => {
    const indices = order.get(name)!.slice(0, units[kind][layer]!).toSorted((i, j) => i - j);
    return [name, { indices, gates: indices.map((i) => gate(scores.get(name)![i]!)) }];
  }));
}

/** Counts that a group may have: multiples of `multiple`, and all its units. */
function levelsOf({ units, least }: UnitGroup, multiple: number): number[] {
  const levels: number[] = [];
  for (let n = least === 0 ? 0 : Math.ceil(least / multiple) * multiple; n < units; n += multiple) {
    levels.push(n);
  }
  return [...levels, units];
}

function nearestOf(levels: readonly number[], count: number): number {
  return levels.reduce((best, level) => Math.abs(level - count) < Math.abs(best - count) ? level : best);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
