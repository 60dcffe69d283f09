import index from "../tensor/_index.wgsl" with { type: "text" };
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RowWindow } from "../tensor/binding_windows.ts";
import { ofRank, ofShape, ofType, sameDevice } from "./internal/checks.ts";
import source from "./position_gate.wgsl" with { type: "text" };
import { reduceRows } from "./internal/reduce_rows.ts";
import { runRows } from "../tensor/rows.ts";

const kernel = new Kernel("position_gate", source, [index]);

/**
 * Gate of WavLM's relative position bias: g = a·(b·c − 1) + 2, with a the sigmoid of the sum of the first four elements and b
 * that of the last four (Chen et al. 2021, arXiv 2110.13900, in the form of the published models).
 *
 * @param u Outputs of `gru_rel_pos_linear` for each head's part of the attention's input, [B, T, H, 8].
 * @param c `gru_rel_pos_const`: H elements in any shape; [1, H, 1, 1] in published models.
 * @returns [B, T, H]
 * @throws {TypeError} If u is not [B, T, H, 8], if there is not one c per head, or if a tensor is not f32.
 * @example
 * ```ts
 * import { positionGate, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const g = positionGate(gpu.zeros([1, 1, 1, 8]), gpu.tensor([1])); // [[[1.75]]]
 * console.log(await g.read());
 * ```
 */
export function positionGate(u: Tensor, c: Tensor): Tensor {
  const doing = "gate a position bias";
  sameDevice(doing, u, c);
  ofType(doing, "u", u, "f32");
  ofType(doing, "c", c, "f32");
  ofRank(doing, "u", u, 4);
  const [batch, frames, heads] = u.shape as [number, number, number, number];
  ofShape(doing, "u", u, [batch, frames, heads, 8]);
  if (c.size !== heads) {
    throw new TypeError(
      `Cannot ${doing} as there must be one c per head: u is ${showShape(u.shape)}, c is ${
        showShape(c.shape)
      }`,
    );
  }
  const { gpu } = u;
  const count = batch * frames * heads;
  const perRow = {
    params: ({ row, rows }: RowWindow) => ({ n: rows, first: row, heads }),
    workgroups: ({ rows }: RowWindow) => Math.ceil(rows / 256),
  };

  const g = gpu.empty([batch, frames, heads]);
  runRows(gpu, kernel, count, { entry: "forward", rows: { u, g }, whole: { c }, ...perRow });
  record("positionGate", [u, c], [g], ([dg], [needsU, needsC]) => {
    const du = needsU ? gpu.empty(u.shape) : null;
    if (du) {
      runRows(gpu, kernel, count, { entry: "backward", rows: { u, dg: dg!, du }, whole: { c }, ...perRow });
    }
    if (!needsC) return [du, null];
    const ab = gpu.empty(g.shape);
    runRows(gpu, kernel, count, { entry: "factors", rows: { u, ab }, ...perRow });
    const sums = reduceRows(dg!, heads, ab);
    const dc = sums.view(c.shape);
    for (const tensor of [ab, sums]) tensor.dispose();
    return [du, dc];
  });
  return g;
}
