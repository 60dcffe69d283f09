import index from "../../tensor/_index.wgsl" with { type: "text" };
import { roundUp } from "../../tensor/align.ts";
import { prefixed } from "../../tensor/shader_params.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { TypedKernel } from "../../tensor/typed_kernel.ts";
import { batchOf, type GemmProblem } from "./problem.ts";
import { finishGemm } from "./finish.ts";
import { isBatchInvariant } from "./policy.ts";
import { beyond, beyondWritten, sliceOf, writtenRange } from "./ranges.ts";
import { columnBits, operandExcess, placeOperand } from "./texture_operand.ts";
import source from "./texture.wgsl" with { type: "text" };

const kernels = new TypedKernel("gemm_texture", source, [index]);

/** Most rounds of a reduction loop, of four terms each, which keeps the error of long sums small. */
const ROUNDS = 4096;

/** Rounds that make a part of a reduction worth its sum with the others. */
const WORTH = 64;

/** Tiles, of all parts, that keep the processor's cores evenly busy. */
const TILES = 128;

/** How a product is divided among invocations. */
interface Division {
  /** Rows and columns of a tile. */
  readonly extent: 16 | 8;
  /** Tiles of a part of the reduction. */
  readonly tiles: number;
  /** Parts of the reduction, and the extents of one along k1 and k2. */
  readonly parts: number;
  readonly k1: number;
  readonly k2: number;
}

/** Divides the reduction too, where it is long or there are few tiles. */
function divide(gpu: Gpu, problem: GemmProblem): Division {
  const { m, n, k: [k1, k2] } = problem;
  const tilesOf = (extent: number) => Math.ceil(m / extent) * Math.ceil(n / extent) * itemsOf(problem);
  const extent = tilesOf(16) * k1 * k2 >= 32_768 && m > 8 && n > 8 ? 16 : 8;
  const tiles = tilesOf(extent);
  const rounds = k1 * Math.ceil(k2 / 4);
  const useful = Math.max(
    rounds / ROUNDS,
    isBatchInvariant(gpu) ? 1 : Math.min(TILES / tiles, rounds / WORTH),
  );
  const most = gpu.limits.bindingBytes / bytesOf(problem) / 2; // as rounding up may double the parts
  const parts = Math.max(1, Math.min(useful, most));
  const part1 = Math.ceil(k1 / parts);
  const part2 = roundUp(k2 / Math.ceil(parts / Math.ceil(k1 / part1)), 4);
  return { extent, tiles, parts: Math.ceil(k1 / part1) * Math.ceil(k2 / part2), k1: part1, k2: part2 };
}

const itemsOf = (problem: GemmProblem) => batchOf(problem)[0] * batchOf(problem)[1];

/** Bytes of a product whose rows are whole texels. */
const bytesOf = (problem: GemmProblem) => itemsOf(problem) * problem.m * roundUp(problem.n, 4) * 4;

/** How far a product is beyond what {@linkcode runTexture} can do; 0 if it fits. */
export function textureExcess(gpu: Gpu, problem: GemmProblem): number {
  const { a, b, m, n } = problem;
  const { parts, k1, k2 } = divide(gpu, problem);
  return operandExcess(gpu, problem, a, m) + operandExcess(gpu, problem, b, n) +
    beyond(k1 * (k2 / 4 + 1), 2 * ROUNDS) + beyond(parts * bytesOf(problem), gpu.limits.bindingBytes) +
    beyondWritten(gpu, problem);
}

/** Whether the product can be written to its place four columns at a time, with nothing to follow. */
function direct(problem: GemmProblem): boolean {
  const { c, n } = problem;
  const plain = !problem.accumulate && !problem.bias && !problem.gelu && !problem.pre &&
    !problem.gate && !problem.residual;
  const steps = [c.tensor.offset, c.offset ?? 0, c.row, c.z1 ?? 0, c.z2 ?? 0, c.padded ? 0 : n];
  return plain && steps.every((step) => step % 4 === 0);
}

/** Computes a product from operands in textures, with register tiles. */
export function runTexture(gpu: Gpu, problem: GemmProblem): void {
  const { m, n, k: [k1, k2], c } = problem;
  const [z1, z2] = batchOf(problem);
  const z = z1 * z2;
  const a = placeOperand(gpu, problem, problem.a, m);
  const b = placeOperand(gpu, problem, problem.b, n);

  const { extent, tiles, parts, ...part } = divide(gpu, problem);
  const inPlace = parts === 1 && direct(problem);
  const row = inPlace ? c.row : roundUp(n, 4);
  const scratch: Tensor | null = inPlace ? null : gpu.empty([parts, z * m, row]);
  const range = writtenRange(problem);
  const target = scratch
    ? { slice: scratch, base: 0, z1: z2 * m * row, z2: m * row }
    : { ...sliceOf(c.tensor, range, c.offset ?? 0), z1: c.z1 ?? 0, z2: c.z2 ?? 0 };

  const types = { A: problem.a.tensor.dtype, B: problem.b.tensor.dtype, C: scratch ? "f32" : c.tensor.dtype };
  gpu.run(kernels.of(types), {
    entry: extent === 16 ? "large" : "small",
    bind: { a: a.surface, b: b.surface, c: target.slice },
    constants: {
      A_ALONG_K: problem.a.alongK,
      B_ALONG_K: problem.b.alongK,
      A_EDGES: a.edges,
      B_EDGES: b.edges,
      REST: k2 % 4 !== 0,
      COLUMN_BITS: columnBits(gpu),
    },
    params: {
      m,
      n,
      k1,
      k2,
      z,
      z2,
      parts,
      part_k1: part.k1,
      part_k2: part.k2,
      ...prefixed("a", a.params),
      ...prefixed("b", b.params),
      c_base: target.base / 4,
      c_part: z * m * row / 4,
      c_z1: target.z1 / 4,
      c_z2: target.z2 / 4,
      c_row: row / 4,
    },
    workgroups: Math.ceil(tiles * parts / 8),
  });
  gpu.textures.give(a.surface);
  gpu.textures.give(b.surface);

  if (scratch) {
    finishGemm(gpu, problem, scratch);
    scratch.dispose();
  }
}
