/**
 * The kernels of products by themselves: time on the device alone, by timestamps around every dispatch.
 *
 * @module
 */

import { type Gemm, gemm } from "../kernels/gemm.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../tensor/gemm_choice.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { digits } from "./statistics.ts";
import { plain } from "./table.ts";
import { uniformTensor } from "./inputs.ts";

/** Sizes M, K, N. */
const SIZES = [
  [800, 256, 256],
  [512, 768, 768],
  [512, 768, 3072],
  ...[1024, 2048, 4096].map((n) => [n, n, n]),
];

/** Which of the operands lie along the reduction: a linear layer's output, A·Bᵀ, and a weight's gradient. */
const LAYOUTS = { "A·B": [true, false], "A·Bᵀ": [true, true], "Aᵀ·B": [false, false] } as const;

/** Operations of a sample, and samples, the least of which counts. */
const [WORK, ROUNDS] = [2e11, 3];

/** TFLOP/s of a kernel for products of one layout. */
export interface ProductSpeed {
  readonly layout: keyof typeof LAYOUTS;
  readonly variant: GemmVariant;
  /** In the order of the sizes. */
  readonly teraflops: readonly number[];
}

/**
 * Measures every kernel at every size.
 *
 * @param gpu Device made with `profile`.
 * @param progress Told what happens.
 * @throws {Error} If the device has no timestamps.
 */
export async function measureProducts(
  gpu: Gpu,
  progress: (message: string) => void,
): Promise<ProductSpeed[]> {
  const speeds: ProductSpeed[] = [];
  // The kernel for software adapters would take minutes elsewhere, and the others there.
  const variants = GEMM_VARIANTS.filter((variant) => (variant === "texture") === gpu.software);
  for (const layout of Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]) {
    for (const variant of variants) {
      const teraflops: number[] = [];
      for (const [m, k, n] of SIZES) {
        progress(`products: ${layout} of ${m}×${k}×${n}, ${variant}`);
        teraflops.push(2e-9 * m! * k! * n! / await milliseconds(gpu, layout, [m!, k!, n!], variant));
      }
      speeds.push({ layout, variant, teraflops });
    }
  }
  return speeds;
}

async function milliseconds(
  gpu: Gpu,
  layout: keyof typeof LAYOUTS,
  [m, k, n]: readonly [number, number, number],
  variant: GemmVariant,
): Promise<number> {
  const { profiler } = gpu;
  if (!profiler) throw new Error("Cannot measure products as the adapter has no timestamps");
  const [aAlongK, bAlongK] = LAYOUTS[layout];
  using a = gpu.tensor(uniformTensor([m, k], 1).values, [m, k]);
  using b = gpu.tensor(uniformTensor([k, n], 2).values, [k, n]);
  using c = gpu.empty([m, n]);
  const problem: Gemm = {
    m,
    n,
    k: [1, k],
    a: { tensor: a, height: aAlongK ? m : k, row: aAlongK ? k : m, alongK: aAlongK },
    b: { tensor: b, height: bAlongK ? n : k, row: bAlongK ? k : n, alongK: bAlongK },
    c: { tensor: c, row: n },
  };
  const count = gpu.software ? 2 : Math.min(200, Math.max(4, Math.ceil(WORK / (2 * m * k * n))));
  const sample = async (repeat: number) => {
    profiler.times.clear();
    for (let i = 0; i < repeat; i++) gemm(gpu, problem, variant);
    await gpu.sync();
    return profiler.times.values().reduce((sum, { ms }) => sum + ms, 0) / repeat;
  };
  await sample(1); // compiles
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) least = Math.min(least, await sample(count));
  return least;
}

/** The speeds as a table. */
export function showProducts(speeds: readonly ProductSpeed[]): string {
  const sizes = SIZES.map((size) => new Set(size).size === 1 ? `${size[0]}³` : size.join("×"));
  return plain({
    head: ["TFLOP/s", "kernel", ...sizes],
    rows: speeds.map(({ layout, variant, teraflops }) => [layout, variant, ...teraflops.map(digits)]),
  });
}
