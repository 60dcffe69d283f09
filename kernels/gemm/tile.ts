// Runs a GEMM with a tile kernel, straight from the operands' buffers.
import { roundUp } from "../../tensor/align.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { prefixed } from "../../tensor/shader_params.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { TileVariant } from "./choice.ts";
import { epilogueOf } from "./epilogue.ts";
import { finishGemm } from "./finish.ts";
import { isBatchInvariant } from "./policy.ts";
import { batchOf, extentsOf, type GemmProblem, type Operand } from "./problem.ts";
import { beyond, beyondBinding, beyondWritten, readRange, sliceOf } from "./ranges.ts";
import { type TileFlags, tileKernel, type TileShape, tileShapes } from "./tile_kernel.ts";

/** Largest K of a split: software adapters end loops after 65,535 iterations. */
const MAX_SPLIT_K = 4096;

/** Smallest K that makes a further split worth its share of the reduction. */
const MIN_SPLIT_K = 128;

/** Invocations, of all splits, that keep a GPU busy. */
const INVOCATIONS = 32_768;

/** The number of tiles, and split-K: several splits where K is long and there are few tiles. */
function divide(gpu: Gpu, problem: GemmProblem, shape: TileShape) {
  const { m, n, k, batch } = extentsOf(problem);
  const rows = 4 * shape.invocationsM * shape.blocksM;
  const columns = 4 * shape.invocationsN * shape.blocksN;
  const tiles = Math.ceil(m / rows) * Math.ceil(n / columns) * batch;
  const invocations = tiles * shape.invocationsM * shape.invocationsN * shape.sliceK;
  const few = isBatchInvariant(gpu) ? 1 : Math.min(INVOCATIONS / invocations, k / MIN_SPLIT_K);
  const useful = Math.max(k / MAX_SPLIT_K, few);
  const most = gpu.limits.bindingBytes / bytesOf(problem);
  const splits = Math.max(1, Math.floor(Math.min(useful, most)));
  const splitK = roundUp(k / splits, loopK(shape));
  return { tiles, splits: Math.ceil(k / splitK), splitK };
}

/** K of an iteration of the shader's loop: that of all buffers. */
const loopK = ({ sliceK, buffers, groupK }: TileShape) => sliceK * buffers * groupK;

/** Bytes of one split's partial sums, whose rows are whole vec4s. */
const bytesOf = (problem: GemmProblem) => extentsOf(problem).batch * problem.m * roundUp(problem.n, 4) * 4;

/** How far a GEMM exceeds what {@linkcode runTile} can compute; 0 if it fits. */
export function tileExcess(gpu: Gpu, problem: GemmProblem, variant: TileVariant): number {
  const { a, b, m, n } = problem;
  const { splitK } = divide(gpu, problem, tileShapes[variant]);
  return beyond(splitK, 2 * MAX_SPLIT_K) + beyondBinding(gpu, a.tensor, readRange(problem, a, m)) +
    beyondBinding(gpu, b.tensor, readRange(problem, b, n)) +
    beyondWritten(gpu, problem);
}

/** The binding and `Params` fields of an operand, and how it can be loaded. `outer` is m or n, `tileK` the K of an iteration. */
function placeOperand(problem: GemmProblem, name: "a" | "b", outer: number, tileK: number) {
  const o = problem[name];
  const range = readRange(problem, o, outer);
  const { slice, base } = sliceOf(o.tensor, range, o.offset ?? 0);
  const vec4 = isAligned(problem, o, base);
  const params = {
    base,
    z1: o.z1Stride ?? 0,
    z2: o.z2Stride ?? 0,
    k1: o.k1Stride ?? 0,
    row: o.row,
    height: o.height,
    y0: o.y0 ?? 0,
    step: o.step ?? 1,
    tap: o.tap ?? 0,
    z2_step: o.z2Step ?? 0,
  };
  return {
    // An array of vec4; the buffer is as long as that.
    slice: { ...slice, length: roundUp(slice.length!, 4) },
    params: prefixed(name, params),
    vec4,
    unchecked: vec4 && isInside(problem, o, outer, tileK),
  };
}

/** Whether k1 is one, and no element is outside the image, or past the end of K in the last K-tile. */
function isInside(
  { k: [k1, k2], batch = [1, 1] }: GemmProblem,
  { y0 = 0, step = 1, z2Step = 0, height, alongK }: Operand,
  outer: number,
  tileK: number,
): boolean {
  const ends = [((alongK ? outer : k2) - 1) * step, (batch[1] - 1) * z2Step];
  const rows = ends.reduce((rows, end) => rows.flatMap((y) => [y, y + end]), [y0]);
  return k1 === 1 && k2 > 0 && k2 % tileK === 0 && rows.every((y) => y >= 0 && y < height);
}

/** Whether four neighbours, from every fourth of a row on, are a vec4 of the binding. */
function isAligned({ k: [, k2] }: GemmProblem, o: Operand, base: number): boolean {
  const steps = [base, o.row, o.z1Stride ?? 0, o.z2Stride ?? 0, o.k1Stride ?? 0, o.alongK ? k2 : 0];
  return steps.every((step) => step % 4 === 0);
}

/** A GEMM that writes partial sums [splits, rows of all items, columns], without an epilogue. */
function withoutEpilogue({ m, n, k, batch = [1, 1], a, b }: GemmProblem, partial: Tensor): GemmProblem {
  const row = partial.shape[2]!;
  return {
    m,
    n,
    k,
    batch,
    a,
    b,
    c: { tensor: partial, row, z1Stride: batch[1] * m * row, z2Stride: m * row },
  };
}

/** Computes a GEMM with tiles that are staged in workgroup memory. */
export function runTile(gpu: Gpu, problem: GemmProblem, variant: TileVariant): void {
  const { m, n, k: [k1, k2] } = problem;
  const [z1, z2] = batchOf(problem);
  const shape = tileShapes[variant];
  const { tiles, splits, splitK } = divide(gpu, problem, shape);
  const row = roundUp(n, 4);
  using partial = splits === 1 ? null : gpu.empty([splits, z1 * z2 * m, row]);
  const target = partial ? withoutEpilogue(problem, partial) : problem;
  const { bind, parts, params, width, stored } = epilogueOf(target, { c_split: z1 * z2 * m * row });
  const a = placeOperand(problem, "a", m, loopK(shape));
  const b = placeOperand(problem, "b", n, loopK(shape));
  const [typeA, typeB] = [problem.a.tensor.dtype, problem.b.tensor.dtype];
  const types = { A: typeA, B: typeB, Loaded: typeA === typeB ? typeA : "f32", Stored: stored };
  const flags: TileFlags = {
    A_ALONG_K: problem.a.alongK,
    B_ALONG_K: problem.b.alongK,
    A_VEC4: a.vec4,
    B_VEC4: b.vec4,
    A_UNCHECKED: a.unchecked,
    B_UNCHECKED: b.unchecked,
    TAPS: k1 > 1,
  };
  gpu.run(tileKernel(variant).of({ ...flags, ...parts }, types, width), {
    bind: { a: a.slice, b: b.slice, ...bind, ...(partial && { c: partial }) },
    params: { m, n, k1, k2, z: z1 * z2, z2, splits, split_k: splitK, ...a.params, ...b.params, ...params },
    workgroups: tiles * splits,
  });
  if (partial) finishGemm(gpu, problem, partial);
}
