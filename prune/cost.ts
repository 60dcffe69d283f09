// What a constraint counts, as a function of how many units are kept: whole numbers after the choice, sums of P(z > 0)
// before. Gates are independent, so the expectation of a product of counts is the product of their expectations, and
// the formulas of model/costs.ts hold for both.

import type { ModelConfig } from "../model/config.ts";
import { type CostRow, costsOf, type UnitCounts, unitCounts } from "../model/costs.ts";
import type { UnitGroup } from "./groups.ts";

/**
 * What is counted: all parameters, those of the convolutions, those of the rest (projection, positional convolution,
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
  /** Architecture that units are counted in. */
  readonly config: ModelConfig;
  /** What is counted. */
  readonly quantity: Quantity;
  /** Samples of the clip that MACs are counted for. */
  readonly samples: number;
  /** UnitCost of the model with all units it has. */
  readonly dense: number;

  /**
   * Counts for one architecture.
   *
   * @param config Architecture, dense or compact.
   * @param quantity What to count.
   * @param samples Samples of the clip that MACs are counted for.
   */
  constructor(config: ModelConfig, quantity: Quantity, samples: number) {
    this.config = config;
    this.quantity = quantity;
    this.samples = samples;
    this.dense = this.of(unitCounts(config));
  }

  /** UnitCost of a model with these units, whole or expected. */
  of(units: UnitCounts): number {
    return this.#values(units).reduce((sum, value) => sum + value, 0);
  }

  /** Share removed, 1 − cost/dense. @param units Units, whole or expected. */
  removed(units: UnitCounts): number {
    return 1 - this.of(units) / this.dense;
  }

  /**
   * How the cost grows with the units of each group. A cost is linear in each count by itself, so that its derivative is
   * the cost of one unit more.
   *
   * @param groups Groups to differentiate by.
   * @param units Where to differentiate.
   * @returns ∂cost/∂count, in the order of the groups.
   */
  slopes(groups: readonly UnitGroup[], units: UnitCounts): Float64Array {
    const here = this.#values(units);
    return Float64Array.from(groups, ({ kind, layer }) => {
      const more = this.#values({ ...units, [kind]: units[kind].with(layer, units[kind][layer]! + 1) });
      return more.reduce((sum, value, row) => sum + (value - here[row]!), 0);
    });
  }

  /** What the modules cost. Those that a count does not touch give equal numbers, so that differences are exact. */
  #values(units: UnitCounts): number[] {
    const { rows } = costsOf(this.config, this.samples, { units, maskEmbedding: false });
    const { quantity } = this;
    if (quantity === "macs") return rows.map(({ macs }) => macs);
    return rows.map((row) => quantity === "parameters" || partOf(row) === quantity ? row.parameters : 0);
  }
}

function partOf({ name }: CostRow): Quantity {
  return name.startsWith("feature_extractor.") ? "conv" : "transformer";
}
