import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../tensor/gpu.ts";
import { runRows, wideKernel } from "../tensor/rows.ts";
import { gradientSlot } from "../tensor/gradient_sink.ts";
import { record } from "../tensor/tape.ts";
import { Tensor } from "../tensor/tensor.ts";
import formula from "./internal/_gelu.wgsl" with { type: "text" };
import { type Activation, checkActivation } from "./internal/activation.ts";
import { ofRank, ofShape, ofType, sameDevice } from "./internal/checks.ts";
import source from "./group_norm.wgsl" with { type: "text" };
import { uploadLengths } from "./internal/lengths.ts";
import { reduceFrames } from "./internal/reduce_frames.ts";
import { reduceRows } from "./internal/reduce_rows.ts";

const kernels = wideKernel("group_norm", source, [formula, index]);

/**
 * Frames of a part, which an invocation does. To begin costs most on a software adapter, unless rows are so long that
 * walking down a column is no way to read memory.
 */
const runOf = ({ software }: Gpu, columns: number) => software ? (columns < 32 ? 64 : 8) : 16;

/** Options of {@linkcode groupNorm}. */
export interface GroupNormOptions extends Activation {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number;
  /** Valid frames of each item, [B]: the others do not count, and become 0. All T unless given. */
  readonly lengths?: readonly number[] | null;
}

/**
 * Group norm with one group per channel: n = (x − mean)/√(variance + eps)·w + b, with the mean and the biased
 * variance of each channel of each item over its frames (Wu and He 2018, arXiv 1803.08494), and
 * y = gelu(n)·gate where the options ask for it.
 *
 * @param x Frames, [B, T, C]. Padding counts like any frame where no lengths are given.
 * @param w Weight, [C].
 * @param b Bias, [C].
 * @returns [B, T, C]
 * @throws {TypeError} If w and b are not one number per channel, if there is not one length per
 * item, or if a tensor is not f32.
 * @throws {RangeError} If a length is no whole number from 0 to T.
 * @example
 * ```ts
 * import { groupNorm, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const y = groupNorm(gpu.tensor([1, 3], [1, 2, 1]), gpu.tensor([1]), gpu.tensor([0])); // [[[-1], [1]]]
 * console.log(await y.read());
 * gpu.destroy();
 * ```
 */
export function groupNorm(x: Tensor, w: Tensor, b: Tensor, options: GroupNormOptions = {}): Tensor {
  const doing = "apply a group norm";
  const { eps = 1e-5, lengths: given = null, gelu = false, gate = null } = options;
  sameDevice(doing, x, w, b, gate);
  ofRank(doing, "x", x, 3);
  ofType(doing, "x", x, "f32");
  const [items, frames, channels] = x.shape as [number, number, number];
  for (const [name, tensor] of Object.entries({ w, b })) {
    ofShape(doing, name, tensor, [channels]);
    ofType(doing, name, tensor, "f32");
  }
  const { gpu } = x;
  checkActivation(doing, options, channels);
  const lengths = given && uploadLengths(doing, gpu, given, items, frames);
  const { kernel, width } = kernels.pick(channels);
  const columns = channels / width;
  const run = runOf(gpu, columns);
  const parts = Math.ceil(frames / run);
  const partAt = (row: number) => Math.floor(row / frames) * parts + Math.floor(row % frames / run);
  const sizes = { columns, frames, items, eps };
  const inParts = () => gpu.empty([items, parts, channels]);
  const added = (part: Tensor) => {
    const sum = reduceFrames(part);
    part.dispose();
    return sum;
  };
  /** Runs an entry point over the parts of x. */
  const walk = (
    entry: string,
    rows: Record<string, Tensor | null>,
    whole: Record<string, Tensor | null>,
  ) => {
    runRows(gpu, kernel, items * frames, {
      entry,
      rows,
      whole,
      params: ({ row, rows }) => ({ ...sizes, rows, first: row, part: partAt(row) }),
      constants: {
        RUN: run,
        GELU: gelu,
        GATE: gate !== null,
        LENGTHS: whole.lengths !== undefined && lengths !== null,
      },
      workgroups: ({ row, rows }) => Math.ceil((partAt(row + rows - 1) - partAt(row) + 1) * columns / 64),
    });
  };

  const y = gpu.empty(x.shape);
  const mean = reduceFrames(x, { lengths, finish: "mean" });
  const [offs, squares] = [inParts(), inParts()];
  walk("moments", { x }, { mean, lengths, sums: offs, dots: squares });
  const [all_sums, all_dots] = [added(offs), added(squares)];
  const affine = gpu.empty([6, items, channels]);
  gpu.run(kernel, {
    entry: "prepare",
    bind: { mean, all_sums, all_dots, w, b, lengths, prepared: affine },
    params: { ...sizes, rows: items * columns, first: 0, part: 0 },
    constants: { RUN: run, LENGTHS: lengths !== null },
    workgroups: Math.ceil(items * columns / 64),
  });
  walk("forward", { x, y }, { affine, gate });
  for (const made of [mean, all_sums, all_dots, lengths]) made?.dispose();

  record("groupNorm", [x, w, b, gate], [y], ([dy], [needsX, needsW, needsB, needsGate]) => {
    const active = gelu || gate !== null;
    const dn = active ? gpu.empty(x.shape) : dy!.view();
    const [sums, dots, gates] = [inParts(), inParts(), gate ? inParts() : null];
    walk("through", { x, dy: dy!, dn: active ? dn : null }, { affine, gate, sums, dots, gates });
    const [all_sums, all_dots] = [added(sums), added(dots)];
    const dx = needsX ? gpu.empty(x.shape) : null;
    if (dx) {
      walk("backward", { x, through_norm: dn, dx }, { affine, all_sums, all_dots });
    }
    using rstd = new Tensor(gpu, affine.storage, [items, channels], "f32", affine.offset);
    const dw = needsW ? reduceRows(all_dots, channels, rstd, gradientSlot(w)) : null;
    const db = needsB ? reduceRows(all_sums, channels, null, gradientSlot(b)) : null;
    const dgate = gates && needsGate ? reduceRows(gates, channels, null, gradientSlot(gate!)) : null;
    for (const made of [dn, all_sums, all_dots, gates]) made?.dispose();
    return [dx, dw, db, dgate];
  }, [affine]);
  return y;
}
