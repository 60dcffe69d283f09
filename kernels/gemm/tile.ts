// Runs a GEMM with a tile kernel, straight from the operands' buffers.
import { roundUp } from "../../tensor/align.ts";
import type { Window } from "../../tensor/binding_windows.ts";
import type { Dispatch } from "../../tensor/dispatch.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Kernel } from "../../tensor/kernel.ts";
import { prefixed } from "../../tensor/shader_params.ts";
import type { TileVariant } from "./choice.ts";
import { bindEpilogue, type EpiloguePlan, type EpilogueProblem, planEpilogue } from "./epilogue.ts";
import { finishGemm, type FinishPlan, planFinish } from "./finish.ts";
import { isBatchInvariant } from "./policy.ts";
import { batchOf, extentsOf, type GemmProblem, type Operand } from "./problem.ts";
import { beyond, beyondBinding, beyondWritten, readRange, windowOf } from "./ranges.ts";
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

/** The binding and `Params` fields of an operand, and how it can be loaded. `outer` is m or n, `tileK` the K of an iteration. */
function placeOperand(gpu: Gpu, problem: GemmProblem, name: "a" | "b", outer: number, tileK: number) {
  const o = problem[name];
  const range = readRange(problem, o, outer);
  const { start, length } = windowOf(o.tensor, range);
  const base = (o.offset ?? 0) - start;
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
    excess: beyondBinding(gpu, o.tensor, range),
    // An array of vec4; the buffer is as long as that.
    window: { start, length: roundUp(length, 4) },
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

/** The output of a GEMM that writes partial sums, without an epilogue. */
function partialOutput(
  { m, n, batch = [1, 1] }: GemmProblem,
  [splits, rows, row]: FinishPlan["partial"],
): EpilogueProblem {
  const tensor = { dtype: "f32", offset: 0, size: splits * rows * row } as const;
  return { m, n, batch, c: { tensor, row, z1Stride: batch[1] * m * row, z2Stride: m * row } };
}

/** How a GEMM is computed, whatever its tensors hold. */
export interface TilePlan {
  /** How far it exceeds what {@linkcode runTile} can compute; 0 if it fits. */
  readonly excess: number;
  /** What is bound of the operands. */
  readonly a: Window;
  readonly b: Window;
  readonly kernel: Kernel;
  readonly epilogue: EpiloguePlan;
  readonly dispatch: Omit<Dispatch, "bind">;
  /** What follows partial sums; null without. */
  readonly finish: FinishPlan | null;
}

/** Plans a GEMM. */
export function planTile(gpu: Gpu, problem: GemmProblem, variant: TileVariant): TilePlan {
  const { m, n, k: [k1, k2] } = problem;
  const [z1, z2] = batchOf(problem);
  const shape = tileShapes[variant];
  const { tiles, splits, splitK } = divide(gpu, problem, shape);
  const finish = splits === 1 ? null : planFinish(gpu, problem, splits);
  const output = finish ? partialOutput(problem, finish.partial) : problem;
  const epilogue = planEpilogue(output, { c_split: z1 * z2 * m * roundUp(n, 4) });
  const a = placeOperand(gpu, problem, "a", m, loopK(shape));
  const b = placeOperand(gpu, problem, "b", n, loopK(shape));
  const [typeA, typeB] = [problem.a.tensor.dtype, problem.b.tensor.dtype];
  const types = { A: typeA, B: typeB, Loaded: typeA === typeB ? typeA : "f32", Stored: epilogue.stored };
  const flags: TileFlags = {
    A_ALONG_K: problem.a.alongK,
    B_ALONG_K: problem.b.alongK,
    A_VEC4: a.vec4,
    B_VEC4: b.vec4,
    A_UNCHECKED: a.unchecked,
    B_UNCHECKED: b.unchecked,
    TAPS: k1 > 1,
  };
  return {
    excess: beyond(splitK, 2 * MAX_SPLIT_K) + a.excess + b.excess + beyondWritten(gpu, problem),
    a: a.window,
    b: b.window,
    kernel: tileKernel(variant).of({ ...flags, ...epilogue.parts }, types, epilogue.width),
    epilogue,
    dispatch: {
      params: {
        ...{ m, n, k1, k2, z: z1 * z2, z2, splits, split_k: splitK },
        ...a.params,
        ...b.params,
        ...epilogue.params,
      },
      workgroups: tiles * splits,
    },
    finish,
  };
}

/** Computes a GEMM with tiles that are staged in workgroup memory, by the plan of {@linkcode planTile}. */
export function runTile(gpu: Gpu, problem: GemmProblem, plan: TilePlan): void {
  const { kernel, epilogue, dispatch, finish } = plan;
  using partial = finish && gpu.empty(finish.partial);
  gpu.run(kernel, {
    bind: {
      a: { tensor: problem.a.tensor, ...plan.a },
      b: { tensor: problem.b.tensor, ...plan.b },
      ...partial ? { c: partial } : bindEpilogue(problem, epilogue),
    },
    ...dispatch,
  });
  if (partial) finishGemm(gpu, problem, partial, finish!);
}
