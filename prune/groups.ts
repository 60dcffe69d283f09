// The units that pruning removes: channels of convolutions, attention heads, feed-forward units.

import type { ModelConfig } from "../model/config.ts";
import { type UnitCounts, unitCounts } from "../model/costs.ts";

/** Kind of a unit: channel of a convolution, attention head, feed-forward unit. */
export type UnitKind = "conv" | "heads" | "ffn";

/** All kinds of units. */
export const UNIT_KINDS: readonly UnitKind[] = ["conv", "heads", "ffn"];

/** The units of one layer, which share a list of gates. */
export interface UnitGroup {
  /** `conv.3`, `heads.0` or `ffn.11`: kind and layer. */
  readonly name: string;
  /** What its units are. */
  readonly kind: UnitKind;
  /** Convolution or Transformer layer, from 0. */
  readonly layer: number;
  /** Units it has now. */
  readonly units: number;
  /** Units it must keep: a convolution one channel, the others none. */
  readonly least: number;
}

/**
 * The groups of a model that pruning may thin, convolutions first. A layer that has lost all its units has none.
 *
 * @param config Architecture, dense or compact.
 * @param kinds Kinds of units that may go.
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
 * Reads a list of kinds as the command line has it.
 *
 * @param text Such as `conv,heads,ffn`.
 * @throws {RangeError} If a word is no kind, or there is none.
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
  const stranger = words.find((word) => !(UNIT_KINDS as readonly string[]).includes(word));
  if (stranger !== undefined || words.length === 0) {
    const found = stranger === undefined ? "none" : JSON.stringify(stranger);
    throw new RangeError(`Cannot prune as units must be of ${UNIT_KINDS.join(", ")}: found ${found}`);
  }
  return UNIT_KINDS.filter((kind) => words.includes(kind));
}

/**
 * Units of a model, with those of some groups replaced.
 *
 * @param units Units of all layers.
 * @param groups Groups to replace.
 * @param counts Units of each of them, whole or expected, in their order.
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
