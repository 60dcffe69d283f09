// The cost of a model as a function of its counts of units: whole numbers after the choice, sums of P(z > 0) before it.
// Gates are independent, E[n·m] = E[n]·E[m] for counts of different groups, so that the formulas of model/costs.ts hold
// for both.

import type { ModelConfig } from "../model/config.ts";
import { type CostRow, costsOf, type UnitCounts, unitCounts } from "../model/costs.ts";
import type { UnitGroup } from "./groups.ts";

/**
 * Quantity that is counted: all parameters, those of the convolutions, those of the rest (projection, positional convolution,
 * Transformer), or multiply–accumulates at a length. Neither head nor mask embedding counts.
 */
export type Quantity = "parameters" | "conv" | "transformer" | "macs";

/**
 * A cost as a function of units.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { UnitCost } from "./cost.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * const macs = new UnitCost(config, "macs", 160000);
 * console.log(macs.dense / 1e9); // 74.06…
 * ```
 */
export class UnitCost {
  /** Architecture, dense or compact. */
  readonly config: ModelConfig;
  /** Quantity that is counted. */
  readonly quantity: Quantity;
  /** Samples of audio that MACs are counted for. */
  readonly samples: number;
  /** Cost of the model with all its units. */
  readonly dense: number;

  /**
   * Cost of an architecture.
   *
   * @param config Architecture, dense or compact.
   * @param quantity Quantity to count.
   * @param samples Samples of audio that MACs are counted for.
   */
  constructor(config: ModelConfig, quantity: Quantity, samples: number) {
    this.config = config;
    this.quantity = quantity;
    this.samples = samples;
    this.dense = this.of(unitCounts(config));
  }

  /** Cost of a model with these counts of units, whole or expected. */
  of(units: UnitCounts): number {
    return this.#values(units).reduce((sum, value) => sum + value, 0);
  }

  /** Share removed, 1 − cost/dense. @param units Counts of units, whole or expected. */
  removed(units: UnitCounts): number {
    return 1 - this.of(units) / this.dense;
  }

  /**
   * Partial derivatives of the cost by the count of each group. The cost is linear in each count, so that a derivative is
   * the cost of one more unit.
   *
   * @param groups Groups to differentiate by.
   * @param units Counts at which to differentiate.
   * @returns ∂cost/∂count, in the order of the groups.
   */
  slopes(groups: readonly UnitGroup[], units: UnitCounts): Float64Array {
    const here = this.#values(units);
    return Float64Array.from(groups, ({ kind, layer }) => {
      const more = this.#values({ ...units, [kind]: units[kind].with(layer, units[kind][layer]! + 1) });
      return more.reduce((sum, value, row) => sum + (value - here[row]!), 0);
    });
  }

  /** Costs of the modules. Modules that a count does not affect keep equal values, so that differences are exact. */
  #values(units: UnitCounts): number[] {
    const { rows } = costsOf(this.config, this.samples, { units });
    const { quantity } = this;
    if (quantity === "macs") return rows.map(({ macs }) => macs);
    return rows.map((row) => quantity === "parameters" || partOf(row) === quantity ? row.parameters : 0);
  }
}

function partOf({ name }: CostRow): Quantity {
  return name.startsWith("feature_extractor.") ? "conv" : "transformer";
}
