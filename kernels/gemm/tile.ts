import { roundUp } from "../../tensor/align.ts";
import type { TileVariant } from "./choice.ts";
import { prefixed } from "../../tensor/shader_params.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { batchOf, type GemmProblem, type Operand } from "./problem.ts";
import { epilogueOf } from "./epilogue.ts";
import { finishGemm } from "./finish.ts";
import { isBatchInvariant } from "./policy.ts";
import { beyond, beyondBinding, beyondWritten, readRange, sliceOf } from "./ranges.ts";
import { tileKernel, type TileShape, tileShapes } from "./tile_source.ts";

/** Longest reduction of one part: software adapters cut loops short past 65,535 rounds. */
const LONGEST = 4096;

/** Terms that make a part of a reduction worth its sum with the others. */
const WORTH = 128;

/** Invocations, of all parts, that keep a graphics processor busy. */
const INVOCATIONS = 32_768;

/** Tiles of a product, and the parts of its reduction: several where it is long and there are few tiles. */
function divide(gpu: Gpu, problem: GemmProblem, shape: TileShape) {
  const { m, n, k: [k1, k2] } = problem;
  const [z1, z2] = batchOf(problem);
  const down = 4 * shape.down * shape.rowBlocks;
  const across = 4 * shape.across * shape.columnBlocks;
  const tiles = Math.ceil(m / down) * Math.ceil(n / across) * z1 * z2;
  const terms = k1 * k2;
  const invocations = tiles * shape.down * shape.across * shape.groups;
  const few = isBatchInvariant(gpu) ? 1 : Math.min(INVOCATIONS / invocations, terms / WORTH);
  const useful = Math.max(terms / LONGEST, few);
  const most = gpu.limits.bindingBytes / bytesOf(problem);
  const parts = Math.max(1, Math.floor(Math.min(useful, most)));
  const length = roundUp(terms / parts, termsAtOnce(shape));
  return { tiles, parts: Math.ceil(terms / length), length };
}

/** Terms of a round of the shader's loop. */
const termsAtOnce = ({ groups, slices, depth }: TileShape) => groups * slices * depth;

/** Bytes of a part of a product whose rows are whole fours. */
const bytesOf = (problem: GemmProblem) =>
  batchOf(problem)[0] * batchOf(problem)[1] * problem.m * roundUp(problem.n, 4) * 4;

/** How far a product is beyond what {@linkcode runTile} can do; 0 if it fits. */
export function tileExcess(gpu: Gpu, problem: GemmProblem, variant: TileVariant): number {
  const { a, b, m, n } = problem;
  const { length } = divide(gpu, problem, tileShapes[variant]);
  return beyond(length, 2 * LONGEST) + beyondBinding(gpu, a.tensor, readRange(problem, a, m)) +
    beyondBinding(gpu, b.tensor, readRange(problem, b, n)) +
    beyondWritten(gpu, problem);
}

/** An operand as the shader reads it, `terms` at a time. `outer` is m or n. */
function placeOperand(problem: GemmProblem, name: "a" | "b", outer: number, terms: number) {
  const o = problem[name];
  const range = readRange(problem, o, outer);
  const { slice, base } = sliceOf(o.tensor, range, o.offset ?? 0);
  const fours = inFours(problem, o, base);
  const params = {
    base,
    z1: o.z1 ?? 0,
    z2: o.z2 ?? 0,
    k1: o.k1 ?? 0,
    row: o.row,
    height: o.height,
    y0: o.y0 ?? 0,
    step: o.step ?? 1,
    tap: o.tap ?? 0,
    z2_step: o.z2Step ?? 0,
  };
  return {
    // Read four numbers at a time; a buffer is as long as that.
    slice: { ...slice, length: roundUp(slice.length!, 4) },
    params: prefixed(name, params),
    fours,
    direct: fours && isInside(problem, o, outer, terms),
  };
}

/** Whether no element is outside the image, or past the last term in the last slice, of products of one k1. */
function isInside(
  { k: [k1, k2], batch = [1, 1] }: GemmProblem,
  { y0 = 0, step = 1, z2Step = 0, height, alongK }: Operand,
  outer: number,
  terms: number,
): boolean {
  const ends = [((alongK ? outer : k2) - 1) * step, (batch[1] - 1) * z2Step];
  const rows = ends.reduce((rows, end) => rows.flatMap((y) => [y, y + end]), [y0]);
  return k1 === 1 && k2 > 0 && k2 % terms === 0 && rows.every((y) => y >= 0 && y < height);
}

/** Whether four neighbours, from a multiple of four on, always start at a multiple of four in the binding. */
function inFours({ k: [, k2] }: GemmProblem, o: Operand, base: number): boolean {
  const steps = [base, o.row, o.z1 ?? 0, o.z2 ?? 0, o.k1 ?? 0, o.alongK ? k2 : 0];
  return steps.every((step) => step % 4 === 0);
}

/** The parts of a product, [parts, rows of all items, columns], without an epilogue. */
function plain({ m, n, k, batch = [1, 1], a, b }: GemmProblem, parts: Tensor): GemmProblem {
  const row = parts.shape[2]!;
  return { m, n, k, batch, a, b, c: { tensor: parts, row, z1: batch[1] * m * row, z2: m * row } };
}

/** Computes a product by tiles staged in workgroup memory, straight from the operands' buffers. */
export function runTile(gpu: Gpu, problem: GemmProblem, variant: TileVariant): void {
  const { m, n, k: [k1, k2] } = problem;
  const [z1, z2] = batchOf(problem);
  const shape = tileShapes[variant];
  const { tiles, parts, length } = divide(gpu, problem, shape);
  const row = roundUp(n, 4);
  using scratch = parts === 1 ? null : gpu.empty([parts, z1 * z2 * m, row]);
  const target: GemmProblem = scratch ? plain(problem, scratch) : problem;
  const { bind, constants, params, width, stored } = epilogueOf(target, { c_part: z1 * z2 * m * row });
  const a = placeOperand(problem, "a", m, termsAtOnce(shape));
  const b = placeOperand(problem, "b", n, termsAtOnce(shape));
  const [typeA, typeB] = [problem.a.tensor.dtype, problem.b.tensor.dtype];
  const types = { A: typeA, B: typeB, Next: typeA === typeB ? typeA : "f32", Stored: stored };
  const selected = {
    A_ALONG_K: problem.a.alongK,
    B_ALONG_K: problem.b.alongK,
    A_FOURS: a.fours,
    B_FOURS: b.fours,
    A_DIRECT: a.direct,
    B_DIRECT: b.direct,
    TAPS: k1 > 1,
    ...constants,
  };
  gpu.run(tileKernel(variant, selected, types, width), {
    bind: { a: a.slice, b: b.slice, ...bind, ...(scratch && { c: scratch }) },
    constants: selected,
    params: {
      m,
      n,
      k1,
      k2,
      z: z1 * z2,
      z2,
      parts,
      part_k: length,
      ...a.params,
      ...b.params,
      ...params,
    },
    workgroups: tiles * parts,
  });
  if (scratch) finishGemm(gpu, problem, scratch);
}
