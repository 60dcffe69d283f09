// Measures which kernel is fastest for each class of GEMMs on an adapter.
import type { Gpu } from "../../tensor/gpu.ts";
import {
  GEMM_BOUNDS,
  GEMM_VARIANTS,
  gemmClass,
  type GemmExtents,
  type GemmTuning,
  type GemmVariant,
} from "./choice.ts";
import { gemm } from "./gemm.ts";
import type { GemmProblem } from "./problem.ts";

/** Times of the kernels for one class of GEMMs. */
export interface GemmTiming {
  /** Name of the class. */
  readonly name: string;
  /** Milliseconds of a GEMM by kernel, without kernels that were far slower than the fastest on a smaller GEMM. */
  readonly ms: Readonly<Partial<Record<GemmVariant, number>>>;
  /** The fastest. */
  readonly best: GemmVariant;
}

/** Options of {@linkcode tuneGemm}. */
export interface TuneOptions {
  /** GEMMs to measure; one of each class unless given. */
  readonly extents?: readonly GemmExtents[];
  /** Milliseconds of a sample; 20 unless given, twice what a wait takes in Deno. */
  readonly sampleMs?: number;
  /** Called with each class once it is measured. */
  readonly onTiming?: (timing: GemmTiming) => void;
}

/** A kernel that takes so many times as long as the fastest is not measured on larger GEMMs … */
const HOPELESS = 3;
/** … from so many multiply–adds on: below, the cost of a dispatch hides that of the kernel. */
const HOPELESS_WORK = 2 ** 24;

/** Rounds of alternating samples, of which the fastest counts. */
const ROUNDS = 3;

/** Extents of a GEMM in each class, well inside its bounds. */
export function tuningProblems(): GemmExtents[] {
  const typical = (bounds: readonly number[], times: number) =>
    bounds.map((bound, i) => bound === Infinity ? bounds[i - 1]! * times : bound);
  const extents: GemmExtents[] = [];
  for (const side of typical(GEMM_BOUNDS.side, 4)) {
    for (const k of typical(GEMM_BOUNDS.k, 2)) {
      for (const outputs of typical(GEMM_BOUNDS.outputs, 2)) {
        const n = Math.min(side, 2 ** Math.floor(Math.log2(outputs) / 2));
        if (n > side / 4) extents.push({ m: outputs / n, n, k, batch: 1 });
      }
    }
  }
  const names = extents.map(gemmClass);
  return extents.filter((_, i) => names.indexOf(names[i]!) === i);
}

/**
 * Measures which kernel is fastest for each class of GEMMs on this adapter, on the GEMMs of a linear layer's output and of its
 * weight's gradient. Kernels alternate, and the best of three rounds counts.
 *
 * @returns One timing for each class, in the order of the extents.
 * @throws {Error} An error that the device reported.
 *
 * @example
 * ```ts
 * import { requestGpu, setGemm, tuneGemm, tuningOf } from "../../mod.ts";
 *
 * const gpu = await requestGpu();
 * const timings = await tuneGemm(gpu, { extents: [{ m: 64, n: 64, k: 64, batch: 1 }], sampleMs: 1 });
 * setGemm(gpu, tuningOf(timings));
 * gpu.destroy();
 * ```
 */
export async function tuneGemm(gpu: Gpu, options: TuneOptions = {}): Promise<GemmTiming[]> {
  const { extents = tuningProblems(), sampleMs = 20, onTiming } = options;
  const timings: GemmTiming[] = [];
  const hopeless = new Map<GemmVariant, number>();
  for (const one of extents) {
    const work = one.m * one.n * one.k * one.batch;
    const variants = GEMM_VARIANTS.filter((variant) => !(work >= hopeless.get(variant)!));
    const ms = await measure(gpu, one, variants, sampleMs);
    const [best] = [...ms].reduce((least, one) => one[1] < least[1] ? one : least);
    for (const [variant, time] of ms) {
      if (work >= HOPELESS_WORK && time > HOPELESS * ms.get(best)!) hopeless.set(variant, work);
    }
    const timing = { name: gemmClass(one), ms: Object.fromEntries(ms), best };
    timings.push(timing);
    onTiming?.(timing);
  }
  return timings;
}

/** The fastest kernel of each class. */
export function tuningOf(timings: readonly GemmTiming[]): GemmTuning {
  return Object.fromEntries(timings.map(({ name, best }) => [name, best]));
}

/** Milliseconds of a GEMM by kernel, the mean of both layouts. */
async function measure(
  gpu: Gpu,
  { m, n, k, batch }: GemmExtents,
  variants: readonly GemmVariant[],
  sampleMs: number,
): Promise<Map<GemmVariant, number>> {
  using a = gpu.zeros([batch, m, k]);
  using b = gpu.zeros([batch, n, k]);
  using c = gpu.empty([batch, m, n]);
  const problemOf = (alongK: boolean): GemmProblem => {
    const operand = (tensor: typeof a, outer: number) => ({
      tensor,
      height: alongK ? outer : k,
      row: alongK ? k : outer,
      alongK,
      z1Stride: outer * k,
    });
    const place = { tensor: c, row: n, z1Stride: m * n };
    return { m, n, k: [1, k], batch: [batch, 1], a: operand(a, m), b: operand(b, n), c: place };
  };
  const problems = [problemOf(true), problemOf(false)];
  const sample = async (variant: GemmVariant, count: number) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      for (const problem of problems) gemm(gpu, problem, variant);
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
  const best = new Map<GemmVariant, number>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const [variant, count] of counts) {
      const ms = await sample(variant, count) / count / 2;
      best.set(variant, Math.min(ms, best.get(variant) ?? Infinity));
    }
  }
  return best;
}
