import index from "../tensor/_index.wgsl" with { type: "text" };
import { roundUp } from "../tensor/align.ts";
import { Kernel } from "../tensor/kernel.ts";
import { record } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RowWindow } from "../tensor/binding_windows.ts";
import { ofRank, ofShape, ofType, sameDevice } from "./internal/checks.ts";
import { reduceRows } from "./internal/reduce_rows.ts";
import { overLanes } from "./internal/over_lanes.ts";
import source from "./relative_bias.wgsl" with { type: "text" };
import { runRows } from "../tensor/rows.ts";

const kernel = new Kernel("relative_bias", source, [overLanes, index]);

/** Options of {@linkcode relativeBias}. */
export interface RelativeBiasOptions {
  /** Heads of g and r to compute, in this order: the kept heads of a compact model. All unless given. */
  readonly heads?: readonly number[];
}

/**
 * Gated relative position bias, for the option `bias` of `attention`: y[b, h, t, s] = g[b, t, h]·r[s − t + T − 1, h]
 * (Chen et al. 2021, arXiv 2110.13900).
 *
 * @param g Gate of each query and head, [B, T, H], as `positionGate` returns it.
 * @param r Bias of each offset from query to key and head, [2T − 1, H], from offset 1 − T to T − 1.
 * @returns [B, H, T, S]: utterance, head, query, key; H is the number of chosen heads, and S is T rounded up to
 * a multiple of four, with zeros beyond T.
 * @throws {TypeError} If r is not [2T − 1, H], or if a tensor is not f32.
 * @throws {RangeError} If a chosen head is out of range or repeated, or if 64 rows of S elements exceed a binding.
 * @example
 * ```ts
 * import { relativeBias, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const g = gpu.tensor([1, 10], [1, 2, 1]);
 * const y = relativeBias(g, gpu.tensor([3, 4, 5], [3, 1])); // [[[[4, 5, 0, 0], [30, 40, 0, 0]]]]
 * console.log(await y.read());
 * ```
 */
export function relativeBias(g: Tensor, r: Tensor, options: RelativeBiasOptions = {}): Tensor {
  const doing = "make a position bias";
  sameDevice(doing, g, r);
  ofType(doing, "g", g, "f32");
  ofType(doing, "r", r, "f32");
  ofRank(doing, "g", g, 3);
  const [batch, frames, width] = g.shape as [number, number, number];
  ofShape(doing, "r", r, [Math.max(0, 2 * frames - 1), width]);
  const chosen = options.heads ?? null;
  chosen?.forEach((head, i) => {
    if (!Number.isInteger(head) || head < 0 || head >= width || chosen.indexOf(head) !== i) {
      throw new RangeError(
        `Cannot ${doing} as chosen heads must be different and below ${width}: heads[${i}] is ${head}`,
      );
    }
  });
  const heads = chosen?.length ?? width;
  const { gpu } = g;
  const kept = chosen ? gpu.tensor(Int32Array.from(chosen)) : null;
  const count = batch * heads * frames;
  const padded = roundUp(frames, 4);
  const lanes = gpu.software ? 1 : 64;
  const choice = { CHOICE: kept !== null };
  const params = ({ row, rows }: RowWindow) => ({ rows, first: row, frames, row: padded, heads, width });
  const perRow = {
    params,
    constants: { ...choice, LANES: lanes },
    workgroups: ({ rows }: RowWindow) => Math.ceil(rows * lanes / 64),
  };

  const y = gpu.empty([batch, heads, frames, padded]);
  runRows(gpu, kernel, count, { entry: "forward", rows: { y }, whole: { g, r, kept }, ...perRow });
  record("relativeBias", [g, r], [y], ([dy], [needsG, needsR]) => {
    // The gradients of heads that are not chosen stay 0.
    const dg = needsG ? gpu.zeros(g.shape) : null;
    if (dg) {
      runRows(gpu, kernel, count, { entry: "gates", rows: { dy: dy! }, whole: { r, dg, kept }, ...perRow });
    }
    if (!needsR) return [dg, null];
    const parts = gpu.zeros([batch, r.size]);
    runRows(gpu, kernel, count, {
      entry: "offsets",
      rows: { dy: dy! },
      whole: { g, dr: parts, kept },
      params,
      constants: choice,
      workgroups: ({ row, rows }) => {
        const images = Math.ceil((row + rows) / frames) - Math.floor(row / frames);
        return Math.ceil(images * (2 * frames - 1) / 64);
      },
    });
    const sums = reduceRows(parts, r.size);
    const dr = sums.view(r.shape);
    for (const tensor of [parts, sums]) tensor.dispose();
    return [dg, dr];
  }, kept ? [kept] : []);
  return y;
}
