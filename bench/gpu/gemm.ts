/**
 * Part `gemm`: TFLOP/s of every GEMM kernel, its share of the f32 peak, and what the tuner chooses.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import { measureTuning, readTuning } from "../../cli/tuning.ts";
import { GEMM_VARIANTS, type GemmTuning, type GemmVariant } from "../../kernels/gemm/choice.ts";
import { setGemm, variantOf } from "../../kernels/gemm/policy.ts";
import { tuningOf } from "../../kernels/gemm/tuning.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { GEMM_LAYOUTS, type GemmSize, type GemmSpeed, measureGemm, sizeName, variantsFor } from "../gemm.ts";
import { digits } from "../statistics.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";
import { measurePeak, type Peak, peakOf } from "./peak.ts";

/** Speeds of the kernels. */
export interface GemmResult {
  readonly adapter: string;
  readonly peak: Peak;
  /** M, K, N. */
  readonly sizes: readonly GemmSize[];
  readonly speeds: readonly GemmSpeed[];
  /** Kernel that runs by size; of the tuner or, where it did not run, the default. */
  readonly chosen: readonly GemmVariant[];
  readonly tuned: boolean;
  /** The tuner's choice by class of sizes; null where it did not run. */
  readonly tuning: GemmTuning | null;
}

/** Squares, and GEMMs of wav2vec2-base: linear layers for 10 s and for 8 × 10 s of audio, and its second convolution. */
const FULL: readonly GemmSize[] = [
  ...[512, 1024, 2048, 4096].map((n): GemmSize => [n, n, n]),
  [499, 768, 768],
  [499, 768, 3072],
  [3992, 768, 768],
  [3992, 768, 3072],
  [3992, 3072, 768],
  [15_999, 1536, 512],
];
const QUICK: readonly GemmSize[] = [[64, 64, 64], [50, 96, 40]];

/** Floating-point operations of a sample: 25 ms at 20 TFLOP/s. */
const SAMPLE_FLOPS = 5e11;

/** Measures: the tuner first, then A·Bᵀ, which inference takes, then the other layouts. */
export async function measure(
  { quick }: PartRequest,
  save: (result: GemmResult) => Promise<void>,
): Promise<GemmResult> {
  const timed = await openGpu({ profile: true });
  const plain = await openGpu();
  const peak = await measurePeak(plain.device, plain.name, quick);
  const tuning = quick || plain.software ? null : await tuningFor(plain);
  const sizes = quick ? QUICK : FULL;
  const chosen = sizes.map(([m, k, n]) => variantOf(plain, { m, n, k, batch: 1 }));
  const base = { adapter: plain.name, peak, sizes, chosen, tuned: tuning !== null, tuning };
  const speeds: GemmSpeed[] = [];
  const layouts = ["A·Bᵀ", ...GEMM_LAYOUTS.filter((layout) => layout !== "A·Bᵀ")] as typeof GEMM_LAYOUTS;
  await measureGemm({
    ...{ timed, plain, sizes },
    layouts: { f32: layouts, f16: layouts.slice(0, 1) },
    variants: quick ? GEMM_VARIANTS : variantsFor(timed),
    sampleFlops: quick ? 1e6 : SAMPLE_FLOPS,
    progress: () => {},
    onSpeed: async (speed) => {
      speeds.push(speed);
      await save({ ...base, speeds });
    },
  });
  return { ...base, speeds };
}

async function tuningFor(gpu: Gpu): Promise<GemmTuning> {
  const tuning = tuningOf((await readTuning(gpu) ?? await measureTuning(gpu)).timings);
  setGemm(gpu, tuning);
  return tuning;
}

/** Name of the adapter. */
export const adapter = (result: GemmResult): string => result.adapter;

/** Fastest f32 GEMM: its TFLOP/s, kernel, layout and size. */
export function summary({ speeds, sizes, peak }: GemmResult): string {
  const all = speeds.filter(({ dtype }) => dtype === "f32").flatMap(({ teraflops, variant, layout }) =>
    teraflops.map((value, i) => ({ value, variant, layout, size: sizes[i]! }))
  );
  const best = all.reduce((best, one) => one.value > best.value ? one : best);
  const { teraflops, source } = peakOf(peak);
  return `${digits(best.value)} TFLOP/s at most (${best.variant}, ${best.layout}, ${sizeName(best.size)}), ` +
    `${percent(best.value / teraflops)} of the peak (${source})`;
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

/** TFLOP/s by kernel, and the chosen kernels. */
export function tables({ speeds, sizes, peak, chosen, tuned }: GemmResult): TitledTable[] {
  const { teraflops: most, source } = peakOf(peak);
  const published = peak.published === null ? "" : `, ${peak.published} published`;
  const shares = speeds.filter(({ layout, dtype }) => layout === "A·Bᵀ" && dtype === "f32");
  return [
    {
      title: `GEMM, TFLOP/s; f32 peak ${digits(peak.measured)} measured${published}; a copy moves ${
        digits(peak.memory)
      } GB/s`,
      left: [0, 1, 2],
      head: ["layout", "type", "kernel", ...sizes.map(sizeName)],
      rows: speeds.map(({ layout, dtype, variant, teraflops }) => [
        ...[layout, dtype, variant],
        ...teraflops.map(digits),
      ]),
    },
    {
      title: `The kernel that runs for A·Bᵀ in f32, by ${
        tuned ? "the tuner" : "default"
      }; shares of the peak (${source})`,
      left: [0, 1, 4],
      head: ["size", "kernel", "TFLOP/s", "share of peak", "fastest kernel", "TFLOP/s of it"],
      rows: sizes.map((size, i) => {
        const own = shares.find(({ variant }) => variant === chosen[i])?.teraflops[i];
        const best = shares.reduce((best, one) => one.teraflops[i]! > best.teraflops[i]! ? one : best);
        return [
          ...[sizeName(size), chosen[i]!],
          ...own === undefined ? ["", ""] : [digits(own), percent(own / most)],
          ...[best.variant, digits(best.teraflops[i]!)],
        ];
      }),
    },
  ];
}
