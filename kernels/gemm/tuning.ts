import {
  GEMM_BOUNDS,
  GEMM_VARIANTS,
  gemmClass,
  type GemmExtents,
  type GemmTuning,
  type GemmVariant,
} from "./choice.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { gemm } from "./gemm.ts";
import type { GemmProblem } from "./problem.ts";

/** How long the kernels took for a product of one class. */
export interface GemmTiming {
  /** Name of the class. */
  readonly name: string;
  /** Milliseconds of a product by kernel; kernels that were far behind for a smaller product are left out. */
  readonly ms: Readonly<Partial<Record<GemmVariant, number>>>;
  /** The fastest. */
  readonly best: GemmVariant;
}

/** What {@linkcode tuneGemm} may be told. */
export interface TuneOptions {
  /** Products to measure; one of each class unless given. */
  readonly products?: readonly GemmExtents[];
  /** Milliseconds that a sample is to take; 20 unless given, twice what a wait takes in Deno. */
  readonly sampleMs?: number;
  /** Is shown each class once it is measured. */
  readonly onTiming?: (timing: GemmTiming) => void;
}

/** A kernel that took so many times as long as the fastest is not tried on larger products … */
const HOPELESS = 3;
/** … from so many multiply–adds on: below, what a dispatch costs says nothing of them. */
const TELLING = 2 ** 24;

/** Rounds of alternating samples, the least of which counts. */
const ROUNDS = 3;

/** A product of each class, of extents well inside it. */
export function tuningProblems(): GemmExtents[] {
  const typical = (bounds: readonly number[], times: number) =>
    bounds.map((bound, i) => bound === Infinity ? bounds[i - 1]! * times : bound);
  const products: GemmExtents[] = [];
  for (const side of typical(GEMM_BOUNDS.side, 4)) {
    for (const terms of typical(GEMM_BOUNDS.terms, 2)) {
      for (const results of typical(GEMM_BOUNDS.results, 2)) {
        const n = Math.min(side, 2 ** Math.floor(Math.log2(results) / 2));
        if (n > side / 4) products.push({ m: results / n, n, terms, items: 1 });
      }
    }
  }
  const names = products.map(gemmClass);
  return products.filter((_, i) => names.indexOf(names[i]!) === i);
}

/**
 * Measures which kernel computes the products of each class fastest on this adapter: a product as of a linear layer's
 * output and one as of its weight's gradient. Kernels alternate, and the best of three rounds counts.
 *
 * @returns One entry a class, in the order of the products.
 * @throws {Error} What the device reported.
 *
 * @example
 * ```ts
 * import { requestGpu, setGemm, tuneGemm, tuningOf } from "../../mod.ts";
 *
 * const gpu = await requestGpu();
 * const timings = await tuneGemm(gpu, { products: [{ m: 64, n: 64, terms: 64, items: 1 }], sampleMs: 1 });
 * setGemm(gpu, tuningOf(timings));
 * gpu.destroy();
 * ```
 */
export async function tuneGemm(gpu: Gpu, options: TuneOptions = {}): Promise<GemmTiming[]> {
  const { products = tuningProblems(), sampleMs = 20, onTiming } = options;
  const timings: GemmTiming[] = [];
  const hopeless = new Map<GemmVariant, number>();
  for (const product of products) {
    const work = product.m * product.n * product.terms * product.items;
    const variants = GEMM_VARIANTS.filter((variant) => !(work >= hopeless.get(variant)!));
    const ms = await measure(gpu, product, variants, sampleMs);
    const [best] = [...ms].reduce((least, one) => one[1] < least[1] ? one : least);
    for (const [variant, time] of ms) {
      if (work >= TELLING && time > HOPELESS * ms.get(best)!) hopeless.set(variant, work);
    }
    const timing = { name: gemmClass(product), ms: Object.fromEntries(ms), best };
    timings.push(timing);
    onTiming?.(timing);
  }
  return timings;
}

/** The fastest kernel of each class. */
export function tuningOf(timings: readonly GemmTiming[]): GemmTuning {
  return Object.fromEntries(timings.map(({ name, best }) => [name, best]));
}

async function measure(
  gpu: Gpu,
  { m, n, terms, items }: GemmExtents,
  variants: readonly GemmVariant[],
  sampleMs: number,
): Promise<Map<GemmVariant, number>> {
  const best = new Map<GemmVariant, number>();
  using a = gpu.zeros([items, m, terms]);
  using b = gpu.zeros([items, n, terms]);
  using c = gpu.empty([items, m, n]);
  const shared = { m, n, k: [1, terms] as const, batch: [items, 1] as const };
  const place = { tensor: c, row: n, z1: m * n };
  const of = (alongK: boolean): GemmProblem => {
    const operand = (tensor: typeof a, outer: number) => ({
      tensor,
      height: alongK ? outer : terms,
      row: alongK ? terms : outer,
      alongK,
      z1: outer * terms,
    });
    return { ...shared, a: operand(a, m), b: operand(b, n), c: place };
  };
  const both = [of(true), of(false)];
  const sample = async (variant: GemmVariant, count: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      for (const problem of both) gemm(gpu, problem, variant);
    }
    await gpu.sync();
    return performance.now() - start;
  };
  const counts = new Map<GemmVariant, number>();
  for (const variant of variants) {
    await sample(variant, 1); // compiles
    let count = 1;
    while (await sample(variant, count) < sampleMs && count < 4096) count *= 2;
    counts.set(variant, count);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [variant, count] of counts) {
      const ms = await sample(variant, count) / count / 2;
      best.set(variant, Math.min(ms, best.get(variant) ?? Infinity));
    }
  }
  return best;
}
