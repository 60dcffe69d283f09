import type { UnitCounts } from "../model/costs.ts";
import type { UnitCost } from "./cost.ts";
import { type UnitGroup, withCounts } from "./groups.ts";

/** Where {@linkcode fitBudget} starts and what it may do. */
export interface FitBudgetOptions {
  /** UnitCost that is brought to the goal. */
  readonly cost: UnitCost;
  /** UnitCost to reach. */
  readonly goal: number;
  /** Groups whose counts may change. */
  readonly groups: readonly UnitGroup[];
  /** Counts that each of them may have, rising. */
  readonly levels: readonly (readonly number[])[];
  /** Units of the whole model to start from. */
  readonly start: UnitCounts;
  /**
   * Worth of the units ranked `fewer` to `more` of a group, of which the least worthy are closed first and the
   * worthiest opened first.
   */
  readonly worth: (group: number, fewer: number, more: number) => number;
}

/** A change of one group's count to a neighbouring level. */
interface Move {
  readonly group: number;
  readonly level: number;
  /** UnitCost it saves when closing, or adds when opening. */
  readonly by: number;
  readonly worth: number;
}

/**
 * Whole units whose cost is as near to a goal as single steps bring it. Units go, or come back, one level of one group at
 * a time: the least worthy, or the worthiest, that do not overshoot; at last the one that ends nearest, if that is nearer
 * than before. What is left is at most half of what the cheapest possible step costs.
 *
 * @param options Goal, start and worth.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { unitCounts } from "../model/costs.ts";
 * import { fitBudget } from "./fit_budget.ts";
 * import { UnitCost } from "./cost.ts";
 * import { unitGroups } from "./groups.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const cost = new UnitCost(config, "macs", 160000);
 * const groups = unitGroups(config, ["ffn"]);
 * const { ffn } = fitBudget({
 *   cost,
 *   goal: 0.9 * cost.dense,
 *   groups,
 *   levels: groups.map(({ units }) => Array.from({ length: units + 1 }, (_, n) => n)),
 *   start: unitCounts(config),
 *   worth: (_, fewer) => -fewer,
 * });
 * console.log(ffn); // [131, 131, 131, 130] or so
 * ```
 */
export function fitBudget(options: FitBudgetOptions): UnitCounts {
  const { cost, goal, groups, levels, start, worth } = options;
  const at = groups.map(({ kind, layer }, g) => levels[g]!.indexOf(start[kind][layer]!));
  const units = () => withCounts(start, groups, at.map((level, g) => levels[g]![level]!));
  let over = cost.of(units()) - goal;
  let slopes = cost.slopes(groups, units());
  for (;;) {
    const direction = over > 0 ? -1 : 1;
    const moves = groups.flatMap((_, group): Move[] => {
      const level = at[group]! + direction;
      const [here, there] = [levels[group]![at[group]!]!, levels[group]![level]];
      if (there === undefined) return [];
      const [fewer, more] = [Math.min(here, there), Math.max(here, there)];
      const by = slopes[group]! * (more - fewer);
      return by > 0 ? [{ group, level, by, worth: worth(group, fewer, more) }] : [];
    });
    const move = bestMove(moves, Math.abs(over), direction);
    if (!move) return units();
    at[move.group] = move.level;
    over += direction * move.by;
    // Neighbouring convolutions cost the product of their channels; the other groups add up.
    if (groups[move.group]!.kind === "conv") slopes = cost.slopes(groups, units());
  }
}

function bestMove(moves: readonly Move[], gap: number, direction: number): Move | undefined {
  const within = moves.filter(({ by }) => by <= gap);
  if (within.length > 0) {
    return within.reduce((best, move) => direction * (move.worth - best.worth) > 0 ? move : best);
  }
  return moves.filter(({ by }) => by < 2 * gap).toSorted((a, b) => a.by - b.by)[0];
}
