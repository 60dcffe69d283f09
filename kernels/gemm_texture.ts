import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import { wideKernel } from "../tensor/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import gelu from "./_gelu.wgsl" with { type: "text" };
import { batchOf, type Gemm } from "./gemm.ts";
import { epilogueOf } from "./gemm_epilogue.ts";
import finishSource from "./gemm_finish.wgsl" with { type: "text" };
import { beyond, beyondBinding, sliceOf, writtenRange } from "./gemm_ranges.ts";
import { placeOperand, surfaceExcess } from "./gemm_surface.ts";
import source from "./gemm_texture.wgsl" with { type: "text" };

const kernel = new Kernel("gemm_texture", source, [index]);
const finish = wideKernel("gemm_finish", finishSource, [gelu, index]);

/** Most rounds of a reduction loop, of four terms each; longer sums go in parts, which keeps their error small. */
const ROUNDS = 4096;

const named = (name: string, params: Record<string, number>) =>
  Object.fromEntries(Object.entries(params).map(([key, value]) => [`${name}_${key}`, value]));

const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** How far a product is beyond what {@linkcode runTexture} can do; 0 if it fits. */
export function textureExcess(gpu: Gpu, problem: Gemm): number {
  const { a, b, m, n, k: [k1, k2] } = problem;
  const [z1, z2] = batchOf(problem);
  const scratch = z1 * z2 * m * roundUp(n, 4) * 4;
  return surfaceExcess(gpu, problem, a, m) + surfaceExcess(gpu, problem, b, n) +
    beyond(k1 * (Math.ceil(k2 / 4) + 1), ROUNDS) + beyond(scratch, gpu.limits.bindingBytes) +
    beyondBinding(gpu, writtenRange(problem));
}

/** Whether the product can be written to its place four columns at a time, with nothing to follow. */
function direct(problem: Gemm): boolean {
  const { c, n } = problem;
  const plain = !problem.accumulate && !problem.bias && !problem.gelu && !problem.pre &&
    !problem.gate && !problem.residual;
  const steps = [c.tensor.offset, c.offset ?? 0, c.row, c.z1 ?? 0, c.z2 ?? 0, c.padded ? 0 : n];
  return plain && steps.every((step) => step % 4 === 0);
}

/** Computes a product from operands packed into textures, with register tiles. */
export function runTexture(gpu: Gpu, problem: Gemm): void {
  const { m, n, k: [k1, k2], c } = problem;
  const [z1, z2] = batchOf(problem);
  const z = z1 * z2;
  const a = placeOperand(gpu, problem, problem.a, m);
  const b = placeOperand(gpu, problem, problem.b, n);

  const inPlace = direct(problem);
  const row = inPlace ? c.row : roundUp(n, 4);
  const scratch: Tensor | null = inPlace ? null : gpu.empty([z * m, row]);
  const range = writtenRange(problem);
  const target = scratch
    ? { slice: scratch, base: 0, z1: z2 * m * row, z2: m * row }
    : { ...sliceOf(c.tensor, range, c.offset ?? 0), z1: c.z1 ?? 0, z2: c.z2 ?? 0 };

  const tilesOf = (extent: number) => Math.ceil(m / extent) * Math.ceil(n / extent) * z;
  const large = tilesOf(16) * k1 * k2 >= 32_768 && m > 8 && n > 8;
  gpu.run(kernel, {
    entry: large ? "large" : "small",
    bind: { a: a.surface, b: b.surface, c: target.slice },
    constants: {
      A_ALONG_K: problem.a.alongK,
      B_ALONG_K: problem.b.alongK,
      A_EDGES: a.edges,
      B_EDGES: b.edges,
      REST: k2 % 4 !== 0,
    },
    params: {
      m,
      n,
      k1,
      k2,
      z,
      z2,
      ...named("a", a.params),
      ...named("b", b.params),
      c_base: target.base / 4,
      c_z1: target.z1 / 4,
      c_z2: target.z2 / 4,
      c_row: row / 4,
    },
    workgroups: Math.ceil(tilesOf(large ? 16 : 8) / 8),
  });
  gpu.surfaces.give(a.surface);
  gpu.surfaces.give(b.surface);

  if (scratch) {
    finishProduct(gpu, problem, scratch, row);
    scratch.dispose();
  }
}

/** Moves a product of `row` numbers a row from scratch to its place, with its epilogue. */
function finishProduct(gpu: Gpu, problem: Gemm, product: Tensor, row: number): void {
  const { m, n, c } = problem;
  const [z1, z2] = batchOf(problem);
  const { bind: { gate, ...bind }, constants, params } = epilogueOf(problem);
  const { gate_base, gate_z2, gate_n, ...places } = params;
  const perItem = constants.GATE && gate_n === 0;
  // What is counted in `Number`s, of four f32 where all of it allows.
  const numbers: Record<string, number> = {
    n,
    product_row: row,
    c_z1: c.z1 ?? 0,
    c_z2: c.z2 ?? 0,
    c_row: c.row,
    ...places,
    ...(!perItem && { gate_base, gate_z2 }),
  };
  const wide = Object.values(numbers).every((value) => value % 4 === 0);
  const { kernel, width } = finish.pick(wide ? 4 : 1);
  const counted = Object.entries(numbers).map(([name, value]) => [name, value / width]);
  gpu.run(kernel, {
    bind: { product, ...bind, gate: perItem ? null : gate, item_gate: perItem ? gate : null },
    constants: { ...constants, GATE: constants.GATE && !perItem, ITEM_GATE: perItem },
    params: { m, z: z1 * z2, z2, gate_base, gate_z2, ...Object.fromEntries(counted) },
    workgroups: Math.ceil(z1 * z2 * m * n / width / 64),
  });
}
