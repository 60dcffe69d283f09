import type { HostModel } from "../model/speech_model.ts";
import { slicesOf } from "../model/unit_slices.ts";
import { type UnitGroup, unitGroups, type UnitKind } from "./groups.ts";
import { tensorOf } from "./tensors.ts";

/**
 * The magnitude of every unit, by which the baseline without gates ranks units (after Li et al. 2017, arXiv 1608.08710):
 * the 2-norm over a convolution channel's filter, over a head's rows of q, k and v and its columns of the output
 * projection, over a feed-forward unit's row and column. Magnitudes of different groups are not comparable.
 *
 * @param model Model on the host.
 * @param kinds Kinds of units; default: all.
 * @returns One value per unit, by group.
 * @throws {TypeError} If a tensor is missing.
 *
 * @example
 * ```ts
 * import { readCheckpoint } from "../model/checkpoint/read.ts";
 * import { unitMagnitudes } from "./magnitude.ts";
 *
 * unitMagnitudes(await readCheckpoint("tests/testdata/base")).get("heads.0"); // three values
 * ```
 */
export function unitMagnitudes(
  model: HostModel,
  kinds?: readonly UnitKind[],
): Map<string, Float64Array> {
  const groups = unitGroups(model.config, kinds);
  return new Map(groups.map((group) => [group.name, magnitudes(model, group)]));
}

function magnitudes(model: HostModel, group: UnitGroup): Float64Array {
  const squares = new Float64Array(group.units);
  for (const { tensor, axis, width, inMagnitude } of slicesOf(model.config, group)) {
    if (!inMagnitude) continue;
    const { shape, data } = tensorOf(model, tensor);
    const inner = shape.slice(axis + 1).reduce((size, n) => size * n, 1) * width;
    for (let i = 0; i < data.length; i++) squares[Math.floor(i / inner) % group.units]! += data[i]! ** 2;
  }
  return squares.map(Math.sqrt);
}
