// Runs a GEMM with the texture kernel: places the operands in textures, and divides the work.
import index from "../../tensor/_index.wgsl" with { type: "text" };
import { roundUp } from "../../tensor/align.ts";
import type { Dispatch } from "../../tensor/dispatch.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Kernel } from "../../tensor/kernel.ts";
import { prefixed } from "../../tensor/shader_params.ts";
import { bindEpilogue, type EpiloguePlan, planEpilogue } from "./epilogue.ts";
import { finishGemm, type FinishPlan, planFinish } from "./finish.ts";
import { isBatchInvariant } from "./policy.ts";
import { preprocess } from "./preprocess.ts";
import { batchOf, extentsOf, type GemmProblem } from "./problem.ts";
import { beyond, beyondWritten } from "./ranges.ts";
import { SpecializedKernel } from "./specialized_kernel.ts";
import { columnBits, type OperandPlan, placeOperand, planOperand } from "./texture_operand.ts";
import source from "./texture.wgsl" with { type: "text" };

const kernels = new SpecializedKernel("gemm_texture", (values) => [preprocess(source, values), index]);

/** Most iterations of the loop over K, four k each, which bounds the rounding error of long sums. */
const MAX_ITERATIONS = 4096;

/** Iterations that make a further split worth its share of the reduction. */
const MIN_ITERATIONS = 64;

/** Tiles, of all splits, that keep the cores of a CPU evenly busy. */
const TILES = 128;

/** How a GEMM is divided among invocations. */
interface Division {
  /** 4×4 blocks of a tile, along m and along n. */
  readonly tall: 4 | 2;
  readonly wide: 4 | 3 | 2;
  /** Tiles of a workgroup, along m and along n: those of a subgroup of eight, which share loads, or 1 by 1 if none do. */
  readonly down: 1 | 2 | 4;
  readonly across: 1 | 2 | 4;
  /** Workgroups. */
  readonly groups: number;
  /** Split-K. */
  readonly splits: number;
  /** Extents of a split along k1 and k2. */
  readonly k1: number;
  readonly k2: number;
}

/** Divides K too, where it is long or there are few tiles. */
function divide(gpu: Gpu, problem: GemmProblem): Division {
  const { m, n, k: [k1, k2] } = problem;
  const { batch } = extentsOf(problem);
  const tilesOf = (extent: number) => Math.ceil(m / extent) * Math.ceil(n / extent) * batch;
  const tall = tilesOf(16) * k1 * k2 >= 32_768 && m > 8 && n > 8 ? 4 : 2;
  const tiles = tilesOf(4 * tall);
  const iterations = k1 * Math.ceil(k2 / 4);
  const few = isBatchInvariant(gpu) ? 1 : Math.min(TILES / tiles, iterations / MIN_ITERATIONS);
  const useful = Math.max(iterations / MAX_ITERATIONS, few);
  const most = gpu.limits.bindingBytes / bytesOf(problem) / 2; // as rounding up may double the splits
  const splits = Math.max(1, Math.min(useful, most));
  const split1 = Math.ceil(k1 / splits);
  const split2 = roundUp(k2 / Math.ceil(splits / Math.ceil(k1 / split1)), 4);
  const parts = Math.ceil(k1 / split1) * Math.ceil(k2 / split2);
  const { wide, down, across } = share(gpu, problem, tall);
  const groups = Math.ceil(m / (4 * tall * down)) * Math.ceil(n / (4 * wide * across)) * batch * parts;
  const workgroups = down > 1 ? groups : Math.ceil(groups / 8);
  return { tall, wide, down, across, groups: workgroups, splits: parts, k1: split1, k2: split2 };
}

/**
 * Which tiles share loads, and how wide they are. If 4×2 or 2×4 tiles share them, an invocation loads 12 of the 32 texels of a tile of
 * 16×16. A weight's width is often no multiple of four tiles. Scores of attention, a batch, are as wide as long; the groups of a base
 * model's positional convolution have 48 channels, four tiles of three blocks. In a batch none share three small tiles, where a quarter of
 * the work would be outside the GEMM. Each shader takes long to compile: small models, whose tiles are small, need no 2×4 ones.
 */
function share(gpu: Gpu, problem: GemmProblem, tall: 4 | 2): Pick<Division, "wide" | "down" | "across"> {
  const { m, n } = problem;
  const alone = { wide: tall, down: 1, across: 1 } as const;
  if (!gpu.shuffles || m <= 12 * tall || n <= 4 * tall) return alone;
  const high = { wide: tall, down: 4, across: 2 } as const;
  if (extentsOf(problem).batch === 1) return high;
  if (n > 12 * tall) return tall === 4 ? { wide: 4, down: 2, across: 4 } : high;
  if (n <= 8 * tall) return high;
  return tall === 4 ? { ...high, wide: 3 } : alone;
}

/** Bytes of one split's partial sums, whose rows are whole vec4s. */
const bytesOf = (problem: GemmProblem) => extentsOf(problem).batch * problem.m * roundUp(problem.n, 4) * 4;

/** How a GEMM is computed, whatever its tensors hold. */
export interface TexturePlan {
  /** How far it exceeds what {@linkcode runTexture} can compute; 0 if it fits. */
  readonly excess: number;
  readonly a: OperandPlan;
  readonly b: OperandPlan;
  readonly kernel: Kernel;
  /** The dispatch, whose `Params` lack the address of each operand. */
  readonly dispatch: Omit<Dispatch, "bind">;
  /** The output, if the kernel writes it. */
  readonly direct: EpiloguePlan | null;
  /** What follows partial sums, if it does not. */
  readonly finish: FinishPlan | null;
}

/** Plans a GEMM. */
export function planTexture(gpu: Gpu, problem: GemmProblem): TexturePlan {
  const { m, n, k: [k1, k2], c } = problem;
  const [z1, z2] = batchOf(problem);
  const z = z1 * z2;
  const { tall, wide, down, across, groups, splits, ...split } = divide(gpu, problem);
  const a = planOperand(gpu, problem, problem.a, m);
  const b = planOperand(gpu, problem, problem.b, n);
  const excess = a.excess + b.excess +
    beyond(split.k1 * (split.k2 / 4 + 1), 2 * MAX_ITERATIONS) +
    beyond(splits * bytesOf(problem), gpu.limits.bindingBytes) +
    beyondWritten(gpu, problem);
  const direct = splits === 1 ? directEpilogue(problem) : null;
  const finish = direct ? null : planFinish(gpu, problem, splits);
  const row = roundUp(n, 4) / 4;
  const target = direct?.params ?? { c_base: 0, c_z1: z2 * m * row, c_z2: m * row, c_row: row };
  const types = { A: problem.a.tensor.dtype, B: problem.b.tensor.dtype, C: finish ? "f32" : c.tensor.dtype };
  const dispatch = {
    constants: {
      A_ALONG_K: problem.a.alongK,
      B_ALONG_K: problem.b.alongK,
      A_EDGES: a.edges,
      B_EDGES: b.edges,
      K2_EDGE: k2 % 4 !== 0 && !(a.zeros && b.zeros),
      COLUMN_BITS: columnBits(gpu),
    },
    params: {
      ...{ m, n, k1, k2, z, z2, splits },
      split_k1: split.k1,
      split_k2: split.k2,
      ...prefixed("a", a.params),
      ...prefixed("b", b.params),
      c_base: target.c_base!,
      c_split: z * m * row,
      c_z1: target.c_z1!,
      c_z2: target.c_z2!,
      c_row: target.c_row!,
      tall,
      has_bias: direct?.parts.BIAS ? 1 : 0,
      has_residual: direct?.parts.RESIDUAL ? 1 : 0,
      bias_base: target.bias_base ?? 0,
      bias_z2: target.bias_z2 ?? 0,
    },
    workgroups: groups,
  };
  const values = { TALL: tall, WIDE: wide, DOWN: down, ACROSS: across, SHARED: down > 1 };
  return { excess, a, b, kernel: kernels.of(values, types), dispatch, direct, finish };
}

/** The output and epilogue of a GEMM that the kernel computes by itself: at most a bias and a residual, with C in vec4s. Else null. */
function directEpilogue(problem: GemmProblem): EpiloguePlan | null {
  const { accumulate, gelu, pre, gate, c, n } = problem;
  if (accumulate || gelu || pre || gate) return null;
  const epilogue = planEpilogue({ ...problem, n: c.padded ? roundUp(n, 4) : n }, {});
  return epilogue.width === 4 ? epilogue : null;
}

/** Computes a GEMM from operands in textures, with register tiles, by the plan of {@linkcode planTexture}. */
export function runTexture(gpu: Gpu, problem: GemmProblem, plan: TexturePlan): void {
  const { kernel, dispatch, direct, finish } = plan;
  const a = placeOperand(gpu, problem.a.tensor, plan.a);
  const b = placeOperand(gpu, problem.b.tensor, plan.b);
  using partial = finish && gpu.empty(finish.partial);
  const epilogue = direct && bindEpilogue(problem, direct);
  gpu.run(kernel, {
    ...dispatch,
    bind: {
      a: a.texture,
      b: b.texture,
      c: partial ?? epilogue!.c,
      bias: epilogue?.bias ?? null,
      residual: epilogue?.residual ?? null,
    },
    params: { ...dispatch.params, a_base: a.base, b_base: b.base },
  });
  gpu.textures.give(a.texture);
  gpu.textures.give(b.texture);
  if (partial) finishGemm(gpu, problem, partial, finish!);
}
