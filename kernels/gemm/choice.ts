// The GEMM kernels, and which of them is fastest for which extents.

/** The kernels: register tiles fed from textures, and tiles in workgroup memory. */
export const GEMM_VARIANTS = [
  "texture",
  "tile-32",
  "tile-64",
  "tile-64-k2",
  "tile-64x128",
  "tile-128",
] as const;

/** A GEMM kernel. */
export type GemmVariant = (typeof GEMM_VARIANTS)[number];

/** A kernel that stages tiles in workgroup memory: rows×columns, square unless both are named; `k2` has slice-K of 2. */
export type TileVariant = Exclude<GemmVariant, "texture">;

/** The kernel of each class of GEMMs; `gemmClass` names the classes. */
export type GemmTuning = Readonly<Record<string, GemmVariant>>;

/** Extents of a GEMM, which decide which kernel is fastest. */
export interface GemmExtents {
  /** Rows of C. */
  readonly m: number;
  /** Columns of C. */
  readonly n: number;
  /** Terms of a sum. */
  readonly k: number;
  /** Items of the batch. */
  readonly batch: number;
}

/** Bounds of the classes: the smaller of m and n, elements of C in all items, and k. */
export const GEMM_BOUNDS = {
  side: [32, 64, Infinity],
  outputs: [2 ** 12, 2 ** 15, 2 ** 18, 2 ** 21, Infinity],
  k: [64, 512, Infinity],
} as const;

const within = (bounds: readonly number[], value: number) => {
  const bound = bounds.find((bound) => value <= bound)!;
  return bound === Infinity ? `>${bounds.at(-2)}` : `≤${bound}`;
};

/** Name of a GEMM's class: the smaller of m and n, the elements of C and k, such as `≤64 ≤4096 >512`. */
export function gemmClass({ m, n, k, batch }: GemmExtents): string {
  return [
    within(GEMM_BOUNDS.side, Math.min(m, n)),
    within(GEMM_BOUNDS.outputs, m * n * batch),
    within(GEMM_BOUNDS.k, k),
  ].join(" ");
}

/**
 * The default kernel of a GEMM, for adapters that were not tuned: textures on software adapters; on GPUs larger tiles for
 * larger outputs, of which the edges are a smaller part, and slice-K where k is long and there are few tiles.
 */
export function usualGemm(software: boolean, { m, n, k, batch }: GemmExtents): GemmVariant {
  if (software) return "texture";
  const [side, outputs] = [Math.min(m, n), m * n * batch];
  if (side <= 32 || outputs <= 2 ** 18) return "tile-32";
  if (side <= 256) return "tile-64";
  if (side > 512 && outputs > 2 ** 21) return "tile-128";
  return k > 512 ? "tile-64-k2" : "tile-64x128";
}

/** Replacements of the kernels that add the terms of a sum in another order than `tile-32`. */
const IN_ORDER: Readonly<Partial<Record<GemmVariant, GemmVariant>>> = {
  texture: "tile-64",
  "tile-64-k2": "tile-64",
};

/** The kernel, or its replacement among those that all add terms in one order, so that results do not depend on the choice. */
export function gemmInOrder(software: boolean, variant: GemmVariant): GemmVariant {
  return software ? "texture" : IN_ORDER[variant] ?? variant;
}
