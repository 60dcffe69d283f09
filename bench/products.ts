/**
 * The kernels of products by themselves: time on the device by timestamps around every dispatch, or, on a graphics processor,
 * by the clock of many in a row, whichever is less. A row hides what a timestamp adds; where recording takes longer than the
 * product, timestamps do not count that.
 *
 * @module
 */

import { gemm } from "../kernels/gemm/gemm.ts";
import type { GemmProblem } from "../kernels/gemm/problem.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../kernels/gemm/choice.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { FloatType } from "../tensor/dtype.ts";
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

/**
 * Operations of a sample, products at most, and samples, the least of which counts. A graphics processor lowers its clock
 * where it is idle for long, as while a sample is recorded, and takes tens of milliseconds of work to raise it.
 */
const [WORK, MOST, ROUNDS] = [2e12, 1000, 3];

/** Products of a row that are submitted together, so that the device works while others are recorded. */
const ROW = 40;

/** Layouts measured for what is read and written, by its type. */
const TYPES: Readonly<Record<FloatType, readonly string[]>> = { f32: Object.keys(LAYOUTS), f16: ["A·B"] };

/** TFLOP/s of a kernel for products of one layout. */
export interface ProductSpeed {
  readonly layout: keyof typeof LAYOUTS;
  readonly dtype: FloatType;
  readonly variant: GemmVariant;
  /** In the order of the sizes. */
  readonly teraflops: readonly number[];
}

/**
 * Measures every kernel at every size.
 *
 * @param timed Device made with `profile`.
 * @param plain Another of the same adapter without.
 * @param progress Told what happens.
 * @throws {Error} If the device has no timestamps.
 */
export async function measureProducts(
  timed: Gpu,
  plain: Gpu,
  progress: (message: string) => void,
): Promise<ProductSpeed[]> {
  const speeds: ProductSpeed[] = [];
  // The kernel for software adapters would take minutes elsewhere, and the others there.
  const variants = GEMM_VARIANTS.filter((variant) => (variant === "texture") === timed.software);
  for (const layout of Object.keys(LAYOUTS) as (keyof typeof LAYOUTS)[]) {
    for (const variant of variants) {
      for (const dtype of ["f32", "f16"] as const) {
        if (!TYPES[dtype].includes(layout) || dtype === "f16" && !timed.half) continue;
        const teraflops: number[] = [];
        for (const [m, k, n] of SIZES as [number, number, number][]) {
          progress(`products: ${layout} of ${m}×${k}×${n}, ${variant}, ${dtype}`);
          const one = { m, k, n, layout, dtype, variant };
          const alone = await milliseconds(timed, one, byTimestamps);
          const ms = timed.software ? alone : Math.min(alone, await milliseconds(plain, one, inARow));
          teraflops.push(2e-9 * m * k * n / ms);
        }
        speeds.push({ layout, variant, dtype, teraflops });
      }
    }
  }
  return speeds;
}

/** One product by one kernel. */
interface Case {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly layout: keyof typeof LAYOUTS;
  readonly dtype: FloatType;
  readonly variant: GemmVariant;
}

/** Milliseconds of `repeat` products. */
type Stopwatch = (gpu: Gpu, repeat: number, record: () => void) => Promise<number>;

const byTimestamps: Stopwatch = async (gpu, repeat, record) => {
  const { profiler } = gpu;
  if (!profiler) throw new Error("Cannot measure products as the adapter has no timestamps");
  profiler.times.clear();
  for (let i = 0; i < repeat; i++) record();
  await gpu.sync();
  return profiler.times.values().reduce((sum, { ms }) => sum + ms, 0);
};

const inARow: Stopwatch = async (gpu, repeat, record) => {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) {
    record();
    if (i % ROW === ROW - 1) gpu.flush();
  }
  await gpu.sync();
  return performance.now() - start;
};

async function milliseconds(
  gpu: Gpu,
  { m, k, n, layout, dtype, variant }: Case,
  time: Stopwatch,
): Promise<number> {
  const [aAlongK, bAlongK] = LAYOUTS[layout];
  const numbers = (shape: [number, number], seed: number) => {
    const { values } = uniformTensor(shape, seed);
    return gpu.tensor(dtype === "f16" ? Float16Array.from(values) : values, shape);
  };
  using a = numbers([m, k], 1);
  using b = numbers([k, n], 2);
  using c = gpu.empty([m, n], dtype);
  const problem: GemmProblem = {
    m,
    n,
    k: [1, k],
    a: { tensor: a, height: aAlongK ? m : k, row: aAlongK ? k : m, alongK: aAlongK },
    b: { tensor: b, height: bAlongK ? n : k, row: bAlongK ? k : n, alongK: bAlongK },
    c: { tensor: c, row: n },
  };
  const count = gpu.software ? 2 : Math.min(MOST, Math.max(4, Math.ceil(WORK / (2 * m * k * n))));
  const sample = async (repeat: number) =>
    await time(gpu, repeat, () => gemm(gpu, problem, variant)) / repeat;
  await sample(1); // compiles
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round++) least = Math.min(least, await sample(count));
  return least;
}

/** The speeds as a table. */
export function showProducts(speeds: readonly ProductSpeed[]): string {
  const sizes = SIZES.map((size) => new Set(size).size === 1 ? `${size[0]}³` : size.join("×"));
  return plain({
    head: ["TFLOP/s", "kernel", "numbers", ...sizes],
    rows: speeds.map(({ layout, variant, dtype, teraflops }) => {
      return [layout, variant, dtype, ...teraflops.map(digits)];
    }),
  });
}
