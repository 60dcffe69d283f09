import type { UnitCounts } from "../model/costs.ts";
import type { UnitCost } from "./cost.ts";
import { type UnitGroup, withCounts } from "./groups.ts";

/** Options of {@linkcode fitBudget}. */
export interface FitBudgetOptions {
  /** Cost to bring to the goal. */
  readonly cost: UnitCost;
  /** Goal, in the unit of the cost. */
  readonly goal: number;
  /** Groups whose counts may change. */
  readonly groups: readonly UnitGroup[];
  /** Counts that each group may have, in rising order. */
  readonly levels: readonly (readonly number[])[];
  /** Units of the model to start from. */
  readonly start: UnitCounts;
  /**
   * Importance of the units ranked `fewer` to `more` in a group: the least important units are removed first, the most
   * important ones added first.
   */
  readonly importance: (group: number, fewer: number, more: number) => number;
}

/** A change of one group's count to a neighbouring level. */
interface Move {
  readonly group: number;
  readonly level: number;
  /** Cost that it saves when removing, or adds when adding. */
  readonly by: number;
  readonly importance: number;
}

/**
 * Brings the cost of whole units as near to a goal as greedy moves can. A move takes one group to a neighbouring level: it
 * removes the least important units, or adds the most important ones, among the moves that do not overshoot. The last
 * move is the one that ends nearest to the goal, if it is nearer than before. The remaining gap is at most half of the cost
 * of the cheapest move.
 *
 * @param options Goal, start and importance.
 * @returns Units of the model.
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
 *   importance: (_, fewer) => -fewer,
 * });
 * console.log(ffn); // [131, 131, 131, 130] or so
 * ```
 */
export function fitBudget(options: FitBudgetOptions): UnitCounts {
  const { cost, goal, groups, levels, start, importance } = options;
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
      return by > 0 ? [{ group, level, by, importance: importance(group, fewer, more) }] : [];
    });
    const move = bestMove(moves, Math.abs(over), direction);
    if (!move) return units();
    at[move.group] = move.level;
    over += direction * move.by;
    // The cost of a convolution depends on the channels of both neighbours; those of the other groups add up.
    if (groups[move.group]!.kind === "conv") slopes = cost.slopes(groups, units());
  }
}

function bestMove(moves: readonly Move[], gap: number, direction: number): Move | undefined {
  const within = moves.filter(({ by }) => by <= gap);
  if (within.length > 0) {
    return within.reduce((best, move) => direction * (move.importance - best.importance) > 0 ? move : best);
  }
  return moves.filter(({ by }) => by < 2 * gap).toSorted((a, b) => a.by - b.by)[0];
}
