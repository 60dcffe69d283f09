/** The kernels that compute products: by register tiles fed from textures, or by tiles in workgroup memory. */
export const GEMM_VARIANTS = [
  "texture",
  "tile-32",
  "tile-64",
  "tile-64-k2",
  "tile-64x128",
  "tile-128",
] as const;

/** A kernel that computes products. */
export type GemmVariant = (typeof GEMM_VARIANTS)[number];

/**
 * One that stages tiles in workgroup memory, of so many rows and columns; a square one unless both are named. With `k2`,
 * a workgroup has two groups of invocations, which share the reduction.
 */
export type TileVariant = Exclude<GemmVariant, "texture">;

/** The kernel for each class of products, as {@linkcode gemmClass} names them. */
export type GemmTuning = Readonly<Record<string, GemmVariant>>;

/** Sizes of a product that decide which kernel is fastest. */
export interface GemmExtents {
  /** Rows of the result. */
  readonly m: number;
  /** Columns of the result. */
  readonly n: number;
  /** Terms of the reduction. */
  readonly terms: number;
  /** Items of the batch. */
  readonly items: number;
}

/** Bounds of the classes: extent of the shorter side, results of all items, terms of the reduction. */
export const GEMM_BOUNDS = {
  side: [32, 64, Infinity],
  results: [2 ** 12, 2 ** 15, 2 ** 18, 2 ** 21, Infinity],
  terms: [64, 512, Infinity],
} as const;

const within = (bounds: readonly number[], value: number) => {
  const bound = bounds.find((bound) => value <= bound)!;
  return bound === Infinity ? `>${bounds.at(-2)}` : `≤${bound}`;
};

/** Name of the class that a product belongs to: its shorter side, its results and its terms, such as `≤64 ≤4096 >512`. */
export function gemmClass({ m, n, terms, items }: GemmExtents): string {
  return [
    within(GEMM_BOUNDS.side, Math.min(m, n)),
    within(GEMM_BOUNDS.results, m * n * items),
    within(GEMM_BOUNDS.terms, terms),
  ].join(" ");
}

/**
 * The kernel for a product where none has been measured. Software adapters want register tiles fed from textures; others
 * larger tiles for larger products, of which the edges are a small part, and groups that share long reductions where there
 * are few tiles.
 */
export function usualGemm(software: boolean, { m, n, terms, items }: GemmExtents): GemmVariant {
  if (software) return "texture";
  const [side, results] = [Math.min(m, n), m * n * items];
  if (side <= 32 || results <= 2 ** 18) return "tile-32";
  if (side <= 256) return "tile-64";
  if (side > 512 && results > 2 ** 21) return "tile-128";
  return terms > 512 ? "tile-64-k2" : "tile-64x128";
}

/** What stands in for a kernel that adds up the terms of a sum in another order than `tile-32`. */
const IN_ORDER: Readonly<Partial<Record<GemmVariant, GemmVariant>>> = {
  texture: "tile-64",
  "tile-64-k2": "tile-64",
};

/** A kernel like `variant`, of those that add up terms in one order, so that results do not depend on which is taken. */
export function gemmInOrder(software: boolean, variant: GemmVariant): GemmVariant {
  return software ? "texture" : IN_ORDER[variant] ?? variant;
}
