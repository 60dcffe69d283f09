import { roundUp } from "../tensor/align.ts";
import type { ModelConfig } from "./config.ts";
import { unitCounts } from "./costs.ts";
import { type LayerUnits, slicesOf } from "./unit_slices.ts";

/** Widths on the device are multiples of this: vectorised loads and stores move four elements. */
const MULTIPLE = 4;

/**
 * Number of units that a layer has on the device. Convolutions and feed-forward layers are padded to a multiple of four with
 * units of zero weights. These output zeros, get zero gradients and stay zero, so the result is unchanged.
 *
 * @param kind Kind of unit.
 * @param units Number of units in the model.
 *
 * @example
 * ```ts
 * import { paddedUnits } from "./padded_widths.ts";
 *
 * paddedUnits("ffn", 317); // 320
 * paddedUnits("heads", 3); // 3
 * ```
 */
export function paddedUnits(kind: LayerUnits["kind"], units: number): number {
  return kind === "heads" ? units : roundUp(units, MULTIPLE);
}

/** Returns the shape of a published tensor with its padded width. */
export type PadShape = (name: string, shape: readonly number[]) => readonly number[];

/** Returns a function from published shapes to shapes on the device. @param config Architecture. */
export function shapePadder(config: ModelConfig): PadShape {
  const { conv, ffn } = unitCounts(config);
  const extents = new Map<string, [axis: number, extent: number][]>();
  const add = (kind: LayerUnits["kind"], units: readonly number[]) => {
    units.forEach((count, layer) => {
      const extent = paddedUnits(kind, count);
      if (extent === count) return;
      for (const { tensor, axis } of slicesOf(config, { kind, layer })) {
        extents.set(tensor, [...extents.get(tensor) ?? [], [axis, extent]]);
      }
    });
  };
  add("conv", conv);
  add("ffn", ffn);
  return (name, shape) => {
    const changes = extents.get(name) ?? [];
    return changes.reduce((padded, [axis, extent]) => padded.with(axis, extent), [...shape]);
  };
}
