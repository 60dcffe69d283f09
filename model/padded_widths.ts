import { roundUp } from "../tensor/align.ts";
import type { ModelConfig } from "./config.ts";
import { unitCounts } from "./costs.ts";
import { type LayerUnits, slicesOf } from "./unit_slices.ts";

/** What widths on the device are multiples of: operations move four numbers at a time. */
const MULTIPLE = 4;

/**
 * Units that a layer has on the device. Convolutions and feed-forward layers are filled up with units of zeros, which give
 * zeros, get gradients of zero and stay zero, so that a model of odd widths is as fast as one of the next multiples of four.
 *
 * @param kind What the units are.
 * @param units Units of the model.
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

/** Shape of a published tensor with the units that the device adds. */
export type PadShape = (name: string, shape: readonly number[]) => readonly number[];

/** The shapes of a model's tensors on the device. @param config Architecture. */
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
    const found = extents.get(name) ?? [];
    return found.reduce((wide, [axis, extent]) => wide.with(axis, extent), [...shape]);
  };
}
