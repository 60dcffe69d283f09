/**
 * Measures the GEMM kernels alone, in two ways of which the faster counts: device time by a timestamp around every dispatch,
 * and, on a GPU, wall time of many GEMMs in a row. The row hides the overhead of timestamps; the timestamps do not count the
 * time to record a GEMM, which may take longer than the GEMM itself.
 *
 * @module
 */

import { gemm } from "../kernels/gemm/gemm.ts";
import type { GemmProblem } from "../kernels/gemm/problem.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../kernels/gemm/choice.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { FloatType } from "../tensor/dtype.ts";
import { uniformTensor } from "./inputs.ts";

/** M, K and N. */
export type GemmSize = readonly [m: number, k: number, n: number];

/** Whether each operand is contiguous along K: a linear layer's output, A·Bᵀ, and a weight's gradient. */
const LAYOUTS = {
  "A·B": [true, false],
  "A·Bᵀ": [true, true],
  "Aᵀ·B": [false, false],
  "Aᵀ·Bᵀ": [false, true],
} as const;

/** A layout of the operands. */
export type GemmLayout = keyof typeof LAYOUTS;

/** All layouts. */
export const GEMM_LAYOUTS = Object.keys(LAYOUTS) as GemmLayout[];

/**
 * Maximum number of GEMMs in a sample, and number of samples, of which the fastest counts. A GPU lowers its clock when it is
 * idle, and needs tens of milliseconds of work to raise it again.
 */
const [MAX_REPEAT, SAMPLES] = [1000, 3];

/** GEMMs that are submitted together, so that the device computes while the next are recorded. */
const SUBMIT_EVERY = 40;

/** TFLOP/s of a kernel for one layout. */
export interface GemmSpeed {
  readonly layout: GemmLayout;
  readonly dtype: FloatType;
  readonly variant: GemmVariant;
  /** TFLOP/s by size. */
  readonly teraflops: readonly number[];
}

/** What {@linkcode measureGemm} measures. */
export interface GemmOptions {
  /** Device with `profile`. */
  readonly timed: Gpu;
  /** Device of the same adapter without `profile`. */
  readonly plain: Gpu;
  readonly sizes: readonly GemmSize[];
  /** Layouts by element type. */
  readonly layouts: Readonly<Record<FloatType, readonly GemmLayout[]>>;
  readonly variants: readonly GemmVariant[];
  /** Floating-point operations of a sample. */
  readonly sampleFlops: number;
  /** Receives a message before each measurement. */
  readonly progress: (message: string) => void;
  /** Receives each row once it is measured. */
  readonly onSpeed?: (speed: GemmSpeed) => Promise<void>;
}

/** The texture kernel is for software adapters, and the tiles for GPUs; each would take minutes on the other. */
export function variantsFor({ software }: Gpu): GemmVariant[] {
  return GEMM_VARIANTS.filter((variant) => (variant === "texture") === software);
}

/**
 * Measures every kernel at every size.
 *
 * @throws {Error} If the device has no timestamps.
 */
export async function measureGemm(options: GemmOptions): Promise<GemmSpeed[]> {
  const { timed, plain, sizes, layouts, variants, sampleFlops, progress, onSpeed } = options;
  const speeds: GemmSpeed[] = [];
  for (const dtype of ["f32", "f16"] as const) {
    if (dtype === "f16" && !timed.half) continue;
    for (const layout of layouts[dtype]) {
      for (const variant of variants) {
        const teraflops: number[] = [];
        for (const [m, k, n] of sizes) {
          progress(`GEMM: ${layout} of ${m}×${k}×${n}, ${variant}, ${dtype}`);
          const one = { m, k, n, layout, dtype, variant, sampleFlops };
          const alone = await milliseconds(timed, one, byTimestamps);
          const ms = timed.software ? alone : Math.min(alone, await milliseconds(plain, one, inARow));
          teraflops.push(2e-9 * m * k * n / ms);
        }
        const speed = { layout, variant, dtype, teraflops };
        speeds.push(speed);
        await onSpeed?.(speed);
      }
    }
  }
  return speeds;
}

/** A GEMM with one kernel. */
interface Case {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly layout: GemmLayout;
  readonly dtype: FloatType;
  readonly variant: GemmVariant;
  readonly sampleFlops: number;
}

/** Milliseconds of `repeat` GEMMs. */
type Stopwatch = (gpu: Gpu, repeat: number, record: () => void) => Promise<number>;

const byTimestamps: Stopwatch = async (gpu, repeat, record) => {
  const { profiler } = gpu;
  if (!profiler) {
    throw new Error("Cannot measure GEMM as the adapter must have timestamp-query: it is missing");
  }
  profiler.times.clear();
  for (let i = 0; i < repeat; i++) record();
  await gpu.sync();
  return profiler.times.values().reduce((sum, { ms }) => sum + ms, 0);
};

const inARow: Stopwatch = async (gpu, repeat, record) => {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) {
    record();
    if (i % SUBMIT_EVERY === SUBMIT_EVERY - 1) gpu.flush();
  }
  await gpu.sync();
  return performance.now() - start;
};

async function milliseconds(
  gpu: Gpu,
  { m, k, n, layout, dtype, variant, sampleFlops }: Case,
  time: Stopwatch,
): Promise<number> {
  const [aAlongK, bAlongK] = LAYOUTS[layout];
  const operand = (shape: [number, number], seed: number) => {
    const { values } = uniformTensor(shape, seed);
    return gpu.tensor(dtype === "f16" ? Float16Array.from(values) : values, shape);
  };
  using a = operand([m, k], 1);
  using b = operand([k, n], 2);
  using c = gpu.empty([m, n], dtype);
  const problem: GemmProblem = {
    m,
    n,
    k: [1, k],
    a: { tensor: a, height: aAlongK ? m : k, row: aAlongK ? k : m, alongK: aAlongK },
    b: { tensor: b, height: bAlongK ? n : k, row: bAlongK ? k : n, alongK: bAlongK },
    c: { tensor: c, row: n },
  };
  const count = gpu.software
    ? 2
    : Math.min(MAX_REPEAT, Math.max(4, Math.ceil(sampleFlops / (2 * m * k * n))));
  const sample = async (repeat: number) =>
    await time(gpu, repeat, () => gemm(gpu, problem, variant)) / repeat;
  await sample(1); // compiles
  let fastest = Infinity;
  for (let i = 0; i < SAMPLES; i++) fastest = Math.min(fastest, await sample(count));
  return fastest;
}

/** `1024³` or `512×768×3072`. */
export const sizeName = (size: GemmSize): string => new Set(size).size === 1 ? `${size[0]}³` : size.join("×");
