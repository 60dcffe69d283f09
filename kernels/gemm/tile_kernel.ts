// Makes the tile kernel: the shapes of the tiles, and the text that the preprocessor makes of each.
import index from "../../tensor/_index.wgsl" with { type: "text" };
import gelu from "../internal/_gelu.wgsl" with { type: "text" };
import type { TileVariant } from "./choice.ts";
import epilogue from "./_epilogue.wgsl" with { type: "text" };
import { multiplyAdds } from "./fma_order.ts";
import operand from "./_operand.wgsl" with { type: "text" };
import { preprocess, type Values } from "./preprocess.ts";
import { SpecializedKernel } from "./specialized_kernel.ts";
import source from "./tile.wgsl" with { type: "text" };

/** How a workgroup divides a tile. */
export interface TileShape {
  /** Invocations of a group along m. */
  readonly invocationsM: number;
  /** Invocations of a group along n. */
  readonly invocationsN: number;
  /** 4×4 blocks of an invocation along m. */
  readonly blocksM: 1 | 2 | 4;
  /** 4×4 blocks of an invocation along n. */
  readonly blocksN: 1 | 2;
  /** Slice-K: groups of invocations that share a K-tile; with two, an invocation has 2×2 blocks. */
  readonly sliceK: 1 | 2;
  /** K-tiles in workgroup memory; with two, one is staged while the other is multiplied (double buffering). */
  readonly buffers: 1 | 2;
  /** K of a group's share of a K-tile. */
  readonly groupK: 8 | 16;
}

/** At most 256 invocations and 16 KiB, the default limits; an invocation stages one or two vec4s of either operand. */
export const tileShapes: Readonly<Record<TileVariant, TileShape>> = {
  "tile-32": shape(8, 8, 1, 1, { sliceK: 1, buffers: 1, groupK: 16 }),
  "tile-64": shape(8, 8, 2, 2, { sliceK: 1, buffers: 2, groupK: 8 }),
  "tile-64-k2": shape(8, 8, 2, 2, { sliceK: 2, buffers: 2, groupK: 8 }),
  "tile-64x128": shape(8, 16, 2, 2, { sliceK: 1, buffers: 2, groupK: 8 }),
  "tile-128": shape(8, 16, 4, 2, { sliceK: 1, buffers: 2, groupK: 8 }),
};

function shape(
  invocationsM: number,
  invocationsN: number,
  blocksM: 1 | 2 | 4,
  blocksN: 1 | 2,
  alongK: Pick<TileShape, "sliceK" | "buffers" | "groupK">,
): TileShape {
  return { invocationsM, invocationsN, blocksM, blocksN, ...alongK };
}

/** What the text of a tile kernel depends on, besides its shape, its epilogue and its types. */
export interface TileFlags {
  /** Whether rows run along k. */
  readonly A_ALONG_K: boolean;
  readonly B_ALONG_K: boolean;
  /** Whether rows are 16-byte aligned, so that loads are vectorised. */
  readonly A_VEC4: boolean;
  readonly B_VEC4: boolean;
  /** Whether besides no element is outside its image or past the end of K, so that loads need no checks. */
  readonly A_UNCHECKED: boolean;
  readonly B_UNCHECKED: boolean;
  /** Whether k1 is more than one. */
  readonly TAPS: boolean;
}

const kernels = new Map<TileVariant, SpecializedKernel>();

/** The kernel of a tile, to be specialised for {@linkcode TileFlags} and the parts of the epilogue. */
export function tileKernel(variant: TileVariant): SpecializedKernel {
  let kernel = kernels.get(variant);
  if (!kernel) {
    kernel = new SpecializedKernel(`gemm_${variant}`, (values) => textsOf(tileShapes[variant], values));
    kernels.set(variant, kernel);
  }
  return kernel;
}

/** The shader and the texts appended to it. */
function textsOf(shape: TileShape, flags: Values): [string, ...string[]] {
  const { invocationsM, invocationsN, blocksM, blocksN, sliceK, buffers, groupK } = shape;
  // Longer loads would make the unrolled text too long.
  const unroll = buffers === 1 || (flags.A_UNCHECKED === true && flags.B_UNCHECKED === true);
  // Without slice-K all kernels add the terms of a sum in order, so that their results are equal, bit for bit.
  const serpentine = sliceK > 1 && flags.A_ALONG_K === true && flags.B_ALONG_K === false;
  const values = {
    ...flags,
    INVOCATIONS_M: invocationsM,
    INVOCATIONS_N: invocationsN,
    BLOCKS_M: blocksM,
    BLOCKS_N: blocksN,
    SLICE_K: sliceK,
    BUFFERS: buffers,
    GROUP_K: groupK,
    UNROLL_BUFFERS: unroll,
    STAGES: unroll ? buffers : 1,
    // Vec4s of an operand that an invocation stages.
    A_SHARE: blocksM * groupK / invocationsN,
    B_SHARE: blocksN * groupK / invocationsM,
    MULTIPLY_ADDS: multiplyAdds(shape, serpentine),
  };
  return [
    preprocess(source, values),
    preprocess(operand, { ...values, x: "a", X: "A" }),
    preprocess(operand, { ...values, x: "b", X: "B" }),
    preprocess(epilogue, values),
    gelu,
    index,
  ];
}
