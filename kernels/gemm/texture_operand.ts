// Places a GEMM's operand in a texture: copies it as it is where its rows are aligned, and packs it where not.
import index from "../../tensor/_index.wgsl" with { type: "text" };
import { alignOf } from "../../tensor/align.ts";
import type { Window } from "../../tensor/binding_windows.ts";
import type { Dispatch } from "../../tensor/dispatch.ts";
import { areMultiples, type ParamFields } from "../../tensor/shader_params.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { PooledTexture, TextureContent } from "../../tensor/texture_pool.ts";
import { elementBytes } from "../../tensor/dtype.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { TypedKernel } from "../../tensor/typed_kernel.ts";
import { batchOf, type GemmProblem, type Operand } from "./problem.ts";
import source from "./pack.wgsl" with { type: "text" };
import { beyond, beyondBinding, imageRows, readRange, rowsOf, windowOf } from "./ranges.ts";

const packKernel = new TypedKernel("gemm_pack", source, [index]);

/** Texels that one invocation of the pack kernel moves. */
const CHUNK = 16;

/** Bits of a texel's address that are its column in a texture; the others are its row. */
export function columnBits(gpu: Gpu): number {
  return Math.min(10, Math.floor(Math.log2(gpu.limits.texture)));
}

/** Rows a multiple of so many texels apart fall into few sets of a CPU's cache. */
const UNEVEN = 64;

/** Address of the first row, and address strides of the indices, in elements or texels. */
interface Steps extends ParamFields {
  readonly base: number;
  readonly z1: number;
  readonly z2: number;
  readonly k1: number;
  /** Of the index that does not run along the rows. */
  readonly step: number;
}

/** How an operand lies in a texture, whose texels are vec4s. */
export interface TextureLayout {
  /** Copied as one line of texels, copied row by row, or packed into one line by the pack kernel. */
  readonly how: "line" | "rows" | "packed";
  /** Linear addresses of the texels. */
  readonly steps: Steps;
  /** Texels of the line, or the texels of a row that are read. */
  readonly texels: number;
  readonly width: number;
  readonly height: number;
  /** First element that is copied, relative to the tensor's; null for that of the buffer. */
  readonly start: number | null;
}

/** Largest buffer, in bytes, that is copied as a whole for a small part: of weights in an arena, the others are read too. */
const WHOLE = 1 << 22;

const mapped = ({ base, z1, z2, k1, step }: Steps, to: (at: number) => number): Steps => ({
  base: to(base),
  z1: to(z1),
  z2: to(z2),
  k1: to(k1),
  step: to(step),
});

/** `Params` of the pack kernel, which writes rows of whole texels, image after image. */
function packParams(problem: GemmProblem, operand: Operand, outer: number) {
  const [z1, z2] = batchOf(problem);
  const [k1, k2] = problem.k;
  const { from, to } = imageRows(problem, operand, outer);
  const columns = operand.alongK ? k2 : outer;
  const texels = Math.ceil(columns / 4);
  const rows = to - from;
  const [n1, n2, nk] = [operand.z1Stride ? z1 : 1, operand.z2Stride ? z2 : 1, operand.k1Stride ? k1 : 1];
  return {
    columns,
    texels,
    chunks: Math.ceil(texels / CHUNK),
    run: Math.max(1, Math.floor(CHUNK / texels)),
    height: n1 * n2 * nk * rows,
    rows,
    n2,
    nk,
    z1: operand.z1Stride ?? 0,
    z2: operand.z2Stride ?? 0,
    k1: operand.k1Stride ?? 0,
    row: operand.row,
  };
}

/** Counts and strides of packed images along the indices that have several: all that their order depends on. */
function imagesOf({ height, rows, n2, nk, z1, z2, k1 }: ReturnType<typeof packParams>): number[] {
  const n1 = height / rows / n2 / nk;
  return [[n1, z1], [n2, z2], [nk, k1]].filter(([n]) => n! > 1).flat() as number[];
}

/** A line of texels in rows of a texture. */
const lineOf = (texels: number, width: number) => ({ texels, width, height: Math.ceil(texels / width) });

/** Column of an element of an image. */
const columnOf = (at: number, row: number) => at - Math.floor(at / row) * row;

/** How the pack kernel lays an operand out: rows of whole texels, image after image. */
function packedLayout(problem: GemmProblem, operand: Operand, outer: number, width: number): TextureLayout {
  const { y0 = 0, step = 1, tap = 0, z2Step = 0 } = operand;
  const { texels, rows, n2, nk, height } = packParams(problem, operand, outer);
  const image = rows * texels;
  const { from: top } = imageRows(problem, operand, outer);
  return {
    how: "packed",
    steps: {
      base: (y0 - top) * texels,
      z1: operand.z1Stride ? n2 * nk * image : 0,
      z2: (operand.z2Stride ? nk * image : 0) + z2Step * texels,
      k1: (operand.k1Stride ? image : 0) + tap * texels,
      step: step * texels,
    },
    ...lineOf(height * texels, width),
    start: readRange(problem, operand, outer).from,
  };
}

/** Chooses how an operand goes to a texture: as a line or in rows if it is aligned, else packed. `outer` is m or n. */
export function layoutOf(
  gpu: Gpu,
  problem: GemmProblem,
  operand: Operand,
  outer: number,
): TextureLayout {
  const [z1, z2] = batchOf(problem);
  const { k: [k1, k2] } = problem;
  const { tensor, row, alongK, offset = 0, y0 = 0, step = 1, tap = 0, z2Step = 0 } = operand;
  const { from, to } = readRange(problem, operand, outer);
  const limit = gpu.limits.texture;
  const width = 2 ** columnBits(gpu);

  const base = offset + y0 * row;
  const steps: Steps = {
    base: base - from,
    z1: z1 > 1 ? operand.z1Stride ?? 0 : 0,
    z2: z2 > 1 ? (operand.z2Stride ?? 0) + z2Step * row : 0,
    k1: k1 > 1 ? (operand.k1Stride ?? 0) + tap * row : 0,
    step: (alongK ? outer : k2) > 1 ? step * row : 0,
  };
  if ((tensor.offset + from) % 4 !== 0 || !areMultiples(steps, 4)) {
    return packedLayout(problem, operand, outer, width);
  }
  const reach = columnOf(steps.z1, row) * (z1 - 1) + columnOf(steps.z2, row) * (z2 - 1) +
    columnOf(steps.k1, row) * (k1 - 1) +
    (alongK ? k2 : outer);
  const height = Math.ceil((to - from) / row);
  const uneven = steps.step % (4 * UNEVEN) === 0 && row % alignOf(tensor.dtype) === 0;
  if (uneven && reach <= row && row / 4 <= width && height <= limit) {
    return {
      how: "rows",
      steps: mapped(steps, (at) => Math.floor(at / row) * width + columnOf(at, row) / 4),
      texels: Math.ceil(reach / 4),
      width: row / 4,
      height,
      start: from,
    };
  }
  const { bytes } = tensor.storage.entry;
  const all = bytes / elementBytes(tensor.dtype);
  const whole = bytes <= WHOLE && to - from < all / 2 && lineOf(all / 4, width).height <= limit;
  // Of a whole buffer, the address of the tensor comes to the base.
  const inLine = whole ? { ...steps, base } : steps;
  return {
    how: "line",
    steps: mapped(inLine, (at) => at / 4),
    ...lineOf(Math.ceil((whole ? all : to - from) / 4), width),
    start: whole ? null : from,
  };
}

/** How an operand comes into a texture, whatever its tensor holds. */
export interface OperandPlan {
  /** How far it exceeds a texture, or a binding if it must be packed; 0 if it fits. */
  readonly excess: number;
  readonly layout: TextureLayout;
  /** Key of the layout, without the place in the buffer. */
  readonly key: string;
  /** Whether rows outside the image are read, which are zero. */
  readonly edges: boolean;
  /** Whether elements past the end of k2 are zero. */
  readonly zeros: boolean;
  /** Fields of the GEMM's `Params`, without the operand's name before them; the texture's address comes to the base. */
  readonly params: Record<string, number>;
  /** The dispatch of the pack kernel and what it binds of the tensor; null for copies. */
  readonly pack: { readonly window: Window; readonly dispatch: Omit<Dispatch, "bind"> } | null;
  /** Elements between the starts of two rows that are copied. */
  readonly row: number;
}

/** Plans the way of an operand into a texture. `outer` is m or n. */
export function planOperand(gpu: Gpu, problem: GemmProblem, operand: Operand, outer: number): OperandPlan {
  const layout = layoutOf(gpu, problem, operand, outer);
  const { how, steps, texels, height } = layout;
  const { tensor, row } = operand;
  const range = readRange(problem, operand, outer);
  const packing = how === "packed" ? packParams(problem, operand, outer) : null;
  const window = windowOf(tensor, range);
  let key = `${how},${texels}`;
  if (how === "rows") key += `,${row},${height}`;
  if (packing) key += `,${packing.columns},${packing.rows},${packing.row},${imagesOf(packing)}`;
  const reach = rowsOf(problem, operand, outer);
  return {
    excess: beyond(height, gpu.limits.texture) + (packing ? beyondBinding(gpu, tensor, range) : 0),
    layout,
    key,
    edges: reach.from < 0 || reach.to > operand.height,
    zeros: packing !== null && operand.alongK,
    params: {
      ...steps,
      height: operand.height,
      y0: operand.y0 ?? 0,
      y_z2: operand.z2Step ?? 0,
      y_k1: operand.tap ?? 0,
      y_step: operand.step ?? 1,
    },
    pack: packing && {
      window,
      dispatch: {
        params: { ...packing, base: range.from - window.start, column_bits: columnBits(gpu) },
        workgroups: Math.ceil(packing.chunks * Math.ceil(packing.height / packing.run) / 64),
      },
    },
    row,
  };
}

/** An operand in a texture, as the texture kernel reads it. */
export interface Placed {
  /** The texture, lent by the pool. */
  readonly texture: PooledTexture;
  /** Address of the first row. */
  readonly base: number;
}

/** Puts an operand in a texture, if none holds it yet; the caller gives the texture back. */
export function placeOperand(
  gpu: Gpu,
  tensor: Tensor,
  { layout, key, params, pack, row }: OperandPlan,
): Placed {
  const { how, texels, width, height, start } = layout;
  const { storage, offset, dtype } = tensor;
  const from = start ?? -offset;
  const content: TextureContent = {
    storage,
    dtype,
    version: storage.version,
    layout: `${key},${offset + from}`,
  };
  const { texture, held } = gpu.textures.take(width, height, content);
  if (!held) {
    if (pack) {
      const bind = { x: { tensor, ...pack.window }, packed: texture };
      gpu.run(packKernel.of({ X: dtype }), { bind, ...pack.dispatch });
    } else if (how === "rows") {
      gpu.copyToTexture(tensor, texture, { start: from, row, rows: height, texels });
    } else copyLine(gpu, tensor, texture, from, layout);
  }
  return { texture, base: params.base! + (start === null ? offset / 4 : 0) };
}

/** Copies a line of texels from element `start` on, in rows of the texture's width. */
function copyLine(
  gpu: Gpu,
  tensor: Tensor,
  texture: PooledTexture,
  start: number,
  { texels, width }: TextureLayout,
): void {
  // What follows the line is never read: if the buffer is long enough for a full last row, one copy does.
  const all = Math.ceil(texels / width);
  const end = (tensor.offset + start + all * width * 4) * elementBytes(tensor.dtype);
  const rows = all > 1 && end <= tensor.storage.entry.bytes ? all : Math.floor(texels / width);
  const copied = rows * width;
  gpu.copyToTexture(tensor, texture, { start, row: width * 4, rows, texels: width });
  gpu.copyToTexture(tensor, texture, {
    start: start + copied * 4,
    row: width * 4,
    rows: 1,
    texels: Math.max(0, texels - copied),
    y: rows,
  });
}
