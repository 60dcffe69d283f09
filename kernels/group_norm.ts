import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../tensor/gpu.ts";
import type { Kernel } from "../tensor/kernel.ts";
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

const DOING = "apply a group norm";

/**
 * Frames of a part, which one invocation computes. Few long invocations are best on a software adapter, unless rows are so
 * long that reading down a column is slow.
 */
const runOf = ({ software }: Gpu, columns: number) => software ? (columns < 32 ? 64 : 8) : 16;

/** Options of {@linkcode groupNorm}. */
export interface GroupNormOptions extends Activation {
  /** Added to the variance; 1e-5 unless given. */
  readonly eps?: number;
  /** Valid frames of each item, [B]: the others are ignored, and become 0. All T unless given. */
  readonly lengths?: readonly number[] | null;
}

/**
 * Group norm with one group per channel: n = (x − mean)/√(variance + eps)·w + b, with the mean and the biased
 * variance of each channel of each item over its frames (Wu and He 2018, arXiv 1803.08494), and
 * y = gelu(n)·gate where the options ask for it.
 *
 * @param x Frames, [B, T, C]. Without lengths, padding counts like any frame.
 * @param w Weight, [C].
 * @param b Bias, [C].
 * @returns [B, T, C]
 * @throws {TypeError} If w and b are not [C], if there is not one length per item, or if a tensor is not f32.
 * @throws {RangeError} If a length is not a whole number from 0 to T.
 * @example
 * ```ts
 * import { groupNorm, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const y = groupNorm(gpu.tensor([1, 3], [1, 2, 1]), gpu.tensor([1]), gpu.tensor([0])); // [[[-1], [1]]]
 * console.log(await y.read());
 * ```
 */
export function groupNorm(x: Tensor, w: Tensor, b: Tensor, options: GroupNormOptions = {}): Tensor {
  check(x, w, b, options);
  const { eps = 1e-5, gelu = false, gate = null } = options;
  const { gpu } = x;
  const [items, , channels] = x.shape as Shape;
  const lengths = options.lengths ? uploadLengths(DOING, gpu, options.lengths, items, x.shape[1]!) : null;
  const parts = new Parts(x, eps, { GELU: gelu, GATE: gate !== null });

  const y = gpu.empty(x.shape);
  const affine = parts.norm(x, w, b, lengths);
  parts.run("forward", { x, y }, { affine, gate });
  lengths?.dispose();

  record("groupNorm", [x, w, b, gate], [y], ([dy], [needsX, needsW, needsB, needsGate]) => {
    const active = gelu || gate !== null;
    const dn = active ? gpu.empty(x.shape) : dy!.view();
    const [sums, dots, gates] = [parts.empty(), parts.empty(), gate ? parts.empty() : null];
    parts.run("through", { x, dy: dy!, dn: active ? dn : null }, { affine, gate, sums, dots, gates });
    const [all_sums, all_dots] = [total(sums), total(dots)];
    const dx = needsX ? gpu.empty(x.shape) : null;
    if (dx) parts.run("backward", { x, through_norm: dn, dx }, { affine, all_sums, all_dots });
    using rstd = new Tensor(gpu, affine.storage, [items, channels], "f32", affine.offset);
    const dw = needsW ? reduceRows(all_dots, channels, rstd, gradientSlot(w)) : null;
    const db = needsB ? reduceRows(all_sums, channels, null, gradientSlot(b)) : null;
    const dgate = gates && needsGate ? reduceRows(gates, channels, null, gradientSlot(gate!)) : null;
    for (const made of [dn, all_sums, all_dots, gates]) made?.dispose();
    return [dx, dw, db, dgate];
  }, [affine]);
  return y;
}

type Shape = readonly [items: number, frames: number, channels: number];

/** Runs the shader over the parts of a tensor: runs of frames of one channel. */
class Parts {
  readonly #gpu: Gpu;
  readonly #shape: Shape;
  readonly #kernel: Kernel;
  readonly #sizes: { columns: number; frames: number; items: number; eps: number };
  readonly #constants: { RUN: number; GELU: boolean; GATE: boolean };

  constructor(x: Tensor, eps: number, constants: { GELU: boolean; GATE: boolean }) {
    this.#gpu = x.gpu;
    this.#shape = x.shape as Shape;
    const [items, frames, channels] = this.#shape;
    const { kernel, width } = kernels.pick(channels);
    const columns = channels / width;
    this.#kernel = kernel;
    this.#sizes = { columns, frames, items, eps };
    this.#constants = { RUN: runOf(x.gpu, columns), ...constants };
  }

  /** Parts of an item. */
  get #count(): number {
    return Math.ceil(this.#sizes.frames / this.#constants.RUN);
  }

  /** A tensor for one value per part, [B, parts, C]. */
  empty(): Tensor {
    const [items, , channels] = this.#shape;
    return this.#gpu.empty([items, this.#count, channels]);
  }

  /** Runs an entry point over all parts, a window of frames at a time where the tensors exceed a binding. */
  run(entry: string, rows: Record<string, Tensor | null>, whole: Record<string, Tensor | null>): void {
    const { frames, items, columns } = this.#sizes;
    const { RUN } = this.#constants;
    const partAt = (row: number) => Math.floor(row / frames) * this.#count + Math.floor(row % frames / RUN);
    runRows(this.#gpu, this.#kernel, items * frames, {
      entry,
      rows,
      whole,
      params: ({ row, rows }) => ({ ...this.#sizes, rows, first: row, part: partAt(row) }),
      constants: { ...this.#constants, LENGTHS: !!whole.lengths },
      workgroups: ({ row, rows }) => Math.ceil((partAt(row + rows - 1) - partAt(row) + 1) * columns / 64),
    });
  }

  /** Mean, 1/√(variance + eps), scale and shift of every channel of every item, [6, B, C], as the shader lays them out. */
  norm(x: Tensor, w: Tensor, b: Tensor, lengths: Tensor | null): Tensor {
    const [items, , channels] = this.#shape;
    const mean = reduceFrames(x, { lengths, mean: true });
    const [sums, dots] = [this.empty(), this.empty()];
    this.run("moments", { x }, { mean, lengths, sums, dots });
    const [all_sums, all_dots] = [total(sums), total(dots)];
    const affine = this.#gpu.empty([6, items, channels]);
    const rows = items * this.#sizes.columns;
    this.#gpu.run(this.#kernel, {
      entry: "prepare",
      bind: { mean, all_sums, all_dots, w, b, lengths, prepared: affine },
      params: { ...this.#sizes, rows, first: 0, part: 0 },
      constants: { RUN: this.#constants.RUN, LENGTHS: lengths !== null },
      workgroups: Math.ceil(rows / 64),
    });
    for (const made of [mean, all_sums, all_dots]) made.dispose();
    return affine;
  }
}

/** The sum over all parts, [B, C]; disposes the parts. */
function total(parts: Tensor): Tensor {
  const sum = reduceFrames(parts);
  parts.dispose();
  return sum;
}

function check(x: Tensor, w: Tensor, b: Tensor, options: GroupNormOptions): void {
  sameDevice(DOING, x, w, b, options.gate ?? null);
  ofRank(DOING, "x", x, 3);
  ofType(DOING, "x", x, "f32");
  const channels = x.shape[2]!;
  for (const [name, tensor] of Object.entries({ w, b })) {
    ofShape(DOING, name, tensor, [channels]);
    ofType(DOING, name, tensor, "f32");
  }
  checkActivation(DOING, options, channels);
}
