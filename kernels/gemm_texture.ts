import index from "../tensor/_index.wgsl" with { type: "text" };
import type { Gpu } from "../tensor/gpu.ts";
import { Kernel } from "../tensor/kernel.ts";
import { wideKernel } from "../tensor/rows.ts";
import type { Surface } from "../tensor/surfaces.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import gelu from "./_gelu.wgsl" with { type: "text" };
import { batchOf, type Gemm, type Operand } from "./gemm.ts";
import { epilogueOf } from "./gemm_epilogue.ts";
import finishSource from "./gemm_finish.wgsl" with { type: "text" };
import packSource from "./gemm_pack.wgsl" with { type: "text" };
import { beyond, beyondBinding, readRange, rowsOf, sliceOf, writtenRange } from "./gemm_ranges.ts";
import source from "./gemm_texture.wgsl" with { type: "text" };

const kernel = new Kernel("gemm_texture", source, [index]);
const pack = new Kernel("gemm_pack", packSource, [index]);
const finish = wideKernel("gemm_finish", finishSource, [gelu, index]);

/** Most rounds of a reduction loop in one dispatch: software adapters cut them short past 65,535. */
const ROUNDS = 32_768;

const roundUp = (n: number, to: number) => Math.ceil(n / to) * to;

/** How an operand's images lie in a surface. */
interface Packing {
  /** Texels of a row. */
  readonly texels: number;
  /** Surface rows of an image. */
  readonly rows: number;
  /** Image row in its first surface row. */
  readonly first: number;
  /** Distinct images along z1, z2 and k1. */
  readonly images: readonly [number, number, number];
}

function packingOf(problem: Gemm, operand: Operand, outer: number): Packing {
  const [z1, z2] = batchOf(problem);
  const [k1, k2] = problem.k;
  const reach = rowsOf(problem, operand, outer);
  // Where k2 runs down the rows, the last round reads up to three rows past its range: they must be there.
  const spare = operand.alongK ? 0 : (roundUp(k2, 4) - k2) * (operand.step ?? 1);
  const first = reach.from + Math.min(0, spare);
  return {
    texels: Math.ceil((operand.alongK ? k2 : outer) / 4),
    rows: reach.to - reach.from + Math.abs(spare),
    first,
    images: [operand.z1 ? z1 : 1, operand.z2 ? z2 : 1, operand.k1 ? k1 : 1],
  };
}

/** How far a product is beyond what {@linkcode runTexture} can do; 0 if it fits. */
export function textureExcess(gpu: Gpu, problem: Gemm): number {
  const { a, b, m, n, k: [k1, k2] } = problem;
  const [z1, z2] = batchOf(problem);
  const { bindingBytes, texture } = gpu.limits;
  const packed = (operand: Operand, outer: number) => {
    const { texels, rows, images } = packingOf(problem, operand, outer);
    return beyond(texels, texture) + beyond(rows * sizeOf(images), texture) +
      beyondBinding(gpu, readRange(problem, operand, outer));
  };
  const scratch = z1 * z2 * m * roundUp(n, 4) * 4;
  return packed(a, m) + packed(b, n) + beyond(k1 * (Math.ceil(k2 / 4) + 1), ROUNDS) +
    beyond(scratch, bindingBytes) + beyondBinding(gpu, writtenRange(problem));
}

/** Packs an operand and returns its surface, with the row steps that the product's shader wants. */
function packOperand(
  gpu: Gpu,
  problem: Gemm,
  operand: Operand,
  outer: number,
): { surface: Surface; steps: readonly [y0: number, z1: number, z2: number, k1: number, step: number] } {
  const packing = packingOf(problem, operand, outer);
  const { texels, rows, first, images: [, n2, nk] } = packing;
  const height = rows * sizeOf(packing.images);
  const surface = gpu.surfaces.take(texels, height);
  const width = operand.alongK ? problem.k[1] : outer;
  // Rows past the range of k2 are padding even where the image goes on, so that one operand is zero there.
  const bounded = !operand.alongK && !operand.tap && !operand.z2Step && (operand.step ?? 1) > 0;
  const end = (operand.y0 ?? 0) + (operand.step ?? 1) * (problem.k[1] - 1) + 1;
  const imageHeight = bounded ? Math.min(operand.height, end) : operand.height;
  const range = readRange(problem, operand, outer);
  const whole = height === rows && first >= 0 && first + rows <= imageHeight &&
    width === operand.row && width % 64 === 0 && (operand.tensor.offset + range.from) % 4 === 0;
  if (whole) {
    gpu.copyToSurface(operand.tensor, range.from, width, rows, surface);
  } else {
    const { slice, base } = sliceOf(operand.tensor, range, operand.offset ?? 0);
    // `base` may lie before the slice when the first rows are not read: addresses are then taken from there on.
    const skipped = base < 0 ? Math.ceil(-base / operand.row) : 0;
    gpu.run(pack, {
      bind: { x: slice, packed: surface },
      params: {
        texels,
        height,
        rows,
        first: first - skipped,
        image_height: imageHeight - skipped,
        image_width: width,
        n2,
        nk,
        base: base + skipped * operand.row,
        z1: operand.z1 ?? 0,
        z2: operand.z2 ?? 0,
        k1: operand.k1 ?? 0,
        row: operand.row,
      },
      workgroups: Math.ceil(texels * height / 64),
    });
  }
  const stride = (elements: number | undefined, images: number) => elements ? rows * images : 0;
  return {
    surface,
    steps: [
      (operand.y0 ?? 0) - first,
      stride(operand.z1, n2 * nk),
      stride(operand.z2, nk) + (operand.z2Step ?? 0),
      stride(operand.k1, 1) + (operand.tap ?? 0),
      operand.step ?? 1,
    ],
  };
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
  const a = packOperand(gpu, problem, problem.a, m);
  const b = packOperand(gpu, problem, problem.b, n);
  const [a_y0, a_z1, a_z2, a_k1, a_step] = a.steps;
  const [b_y0, b_z1, b_z2, b_k1, b_step] = b.steps;

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
    constants: { A_ALONG_K: problem.a.alongK, B_ALONG_K: problem.b.alongK },
    params: {
      m,
      n,
      k1,
      k2,
      z,
      z2,
      a_y0,
      a_z1,
      a_z2,
      a_k1,
      a_step,
      b_y0,
      b_z1,
      b_z2,
      b_k1,
      b_step,
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
