// The units that pruning can remove: channels of convolutions, attention heads, feed-forward units.

import type { ModelConfig } from "../model/config.ts";
import { type UnitCounts, unitCounts } from "../model/costs.ts";

/** Kind of a unit: channel of a convolution, attention head, feed-forward unit. */
export type UnitKind = "conv" | "heads" | "ffn";

/** All kinds of units. */
export const UNIT_KINDS: readonly UnitKind[] = ["conv", "heads", "ffn"];

/** The units of one layer; their gates are one tensor. */
export interface UnitGroup {
  /** `conv.3`, `heads.0` or `ffn.11`: kind and layer. */
  readonly name: string;
  /** Kind of its units. */
  readonly kind: UnitKind;
  /** Convolution or Transformer layer, from 0. */
  readonly layer: number;
  /** Number of units it has now. */
  readonly units: number;
  /** Number of units it must keep: 1 channel of a convolution, else 0. */
  readonly least: number;
}

/**
 * The groups of a model, convolutions first. A layer that has lost all its units has no group.
 *
 * @param config Architecture, dense or compact.
 * @param kinds Kinds of units; default: all.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { unitGroups } from "./groups.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * unitGroups(config)[0]; // { name: "conv.0", kind: "conv", layer: 0, units: 512, least: 1 }
 * unitGroups(config, ["heads", "ffn"]).length; // 24
 * ```
 */
export function unitGroups(config: ModelConfig, kinds: readonly UnitKind[] = UNIT_KINDS): UnitGroup[] {
  const counts = unitCounts(config);
  const group = (kind: UnitKind, layer: number): UnitGroup => ({
    name: `${kind}.${layer}`,
    kind,
    layer,
    units: counts[kind][layer]!,
    least: kind === "conv" ? 1 : 0,
  });
  return [
    ...counts.conv.map((_, i) => group("conv", i)),
    ...counts.heads.flatMap((_, j) => [group("heads", j), group("ffn", j)]),
  ].filter(({ kind, units }) => kinds.includes(kind) && units > 0);
}

/**
 * Parses a list of kinds as the command line has it.
 *
 * @param text Such as `conv,heads,ffn`.
 * @throws {RangeError} If a word is not a kind, or the list is empty.
 *
 * @example
 * ```ts
 * import { parseKinds } from "./groups.ts";
 *
 * parseKinds("ffn,heads"); // ["heads", "ffn"]
 * ```
 */
export function parseKinds(text: string): UnitKind[] {
  const words = text.split(",").map((word) => word.trim()).filter((word) => word !== "");
  const unknown = words.find((word) => !(UNIT_KINDS as readonly string[]).includes(word));
  if (unknown !== undefined || words.length === 0) {
    const found = unknown === undefined ? "none" : JSON.stringify(unknown);
    throw new RangeError(`Cannot prune as kinds of units are ${UNIT_KINDS.join(", ")}: found ${found}`);
  }
  return UNIT_KINDS.filter((kind) => words.includes(kind));
}

/**
 * Counts of units, with those of some groups replaced.
 *
 * @param units Counts of all layers.
 * @param groups Groups to replace.
 * @param counts Their new counts, whole or expected, in the order of the groups.
 *
 * @example
 * ```ts
 * import { parseConfig } from "../model/config.ts";
 * import { unitCounts } from "../model/costs.ts";
 * import { unitGroups, withCounts } from "./groups.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * const heads = unitGroups(config, ["heads"]);
 * withCounts(unitCounts(config), heads, heads.map(() => 6)).heads; // [6, 6, …]
 * ```
 */
export function withCounts(
  units: UnitCounts,
  groups: readonly UnitGroup[],
  counts: ArrayLike<number>,
): UnitCounts {
  const changed = { conv: [...units.conv], heads: [...units.heads], ffn: [...units.ffn] };
  groups.forEach(({ kind, layer }, i) => changed[kind][layer] = counts[i]!);
  return changed;
}
