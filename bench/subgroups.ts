/**
 * Measures reductions by subgroups beside those in workgroup memory, each on its own device.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import config from "../deno.json" with { type: "json" };
import { ctc } from "../kernels/ctc.ts";
import { logSoftmax } from "../kernels/log_softmax.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { uniformTensor } from "./inputs.ts";
import { measure, type Measured } from "./measure.ts";
import { gradient, one, ours } from "./ours.ts";
import type { Peer } from "./peers/peer.ts";
import type { TitledTable } from "./record.ts";
import { digits, median } from "./statistics.ts";
import { CTC, ctcInputs } from "./workloads.ts";

/** Cases of `bench` with a reduction. */
const CASES = [
  "layer_norm_512x3072",
  "softmax_cross_entropy_512x32",
  "attention_t256_h12_d64",
  "ctc_b4_t200_v32_s40",
  "clip_grad_norm_4m",
];

/** Columns of a softmax that is shared by a workgroup on every adapter. */
const WIDE = 4096;

/** All cases: those above, and two of many labels. */
export const SUBGROUP_CASES: readonly string[] = [...CASES, "log_softmax_512x4096", "ctc_b4_t200_v4096_s40"];

/** Times of a case. */
export interface SubgroupTimes {
  readonly name: string;
  /** Whether the kernels are those of this adapter, or on a software adapter those of GPUs. */
  readonly kernels: "own" | "gpu";
  /** Median time in milliseconds without subgroups, and with. */
  readonly without: number;
  readonly with: number;
  /** Time with subgroups over that without, the median of pairs. */
  readonly ratio: number;
}

/**
 * Measures every case with and without subgroups in alternation; on a software adapter also with the kernels that GPUs take.
 *
 * @param options.names Cases.
 * @param options.rounds Samples of each.
 * @throws {Error} If the device has no subgroups, or if a case fails or the values differ.
 */
export async function measureSubgroups(
  { names, rounds, progress }: {
    readonly names: readonly string[];
    readonly rounds: number;
    readonly progress: (message: string) => void;
  },
): Promise<SubgroupTimes[]> {
  const times: SubgroupTimes[] = [];
  for (const kernels of ["own", "gpu"] as const) {
    const options = kernels === "gpu" ? { software: false } : {};
    using plain = await openGpu({ ...options, subgroups: false });
    using gpu = await openGpu({ ...options, subgroups: true });
    if (!gpu.subgroups) throw new Error(`Cannot measure subgroups as the adapter has none: ${gpu.name}`);
    const libraries = [casesOf(plain, "without"), casesOf(gpu, "with")];
    for (const name of names) {
      const [off, on] = (await measure(name, libraries, { rounds, progress })) as [Measured, Measured];
      const error = off.error ?? on.error;
      if (error !== null) throw new Error(`${name}: ${error}`);
      const ratio = median(on.samples.map((ms, i) => ms / off.samples[i]!));
      times.push({ name, kernels, without: off.ms!, with: on.ms!, ratio });
    }
    if (kernels === "own" && !gpu.software) break;
  }
  return times;
}

/** The cases on a device. */
function casesOf(gpu: Gpu, name: string): Peer {
  const { cases, ...library } = ours(gpu, config.version);
  const x = (shape: number[]) => uniformTensor(shape, 68, 3);
  const rows = [512, WIDE];
  const wide = { inputs: [x(rows)], cotangent: uniformTensor(rows, 69) };
  const frames = { inputs: [x([CTC.batch, CTC.frames, WIDE])], cotangent: one };
  const { targets } = ctcInputs();
  const lengths = targets.map(() => CTC.frames);
  return {
    ...library,
    name,
    cases: new Map([
      ...cases,
      ["log_softmax_512x4096", () => Promise.resolve(gradient(gpu, wide, (x) => logSoftmax(x!)))],
      [
        "ctc_b4_t200_v4096_s40",
        () => Promise.resolve(gradient(gpu, frames, (x) => ctc(x!, lengths, targets))),
      ],
    ]),
  };
}

/** The times as a table. */
export function subgroupTables(times: readonly SubgroupTimes[]): TitledTable[] {
  return [{
    title: "Value and gradients, without and with subgroups, in alternation",
    head: ["case", "kernels", "without", "with", "with / without"],
    rows: times.map(({ name, kernels, without, with: on, ratio }) => [
      name,
      kernels === "own" ? "of this adapter" : "of GPUs",
      `${digits(without)} ms`,
      `${digits(on)} ms`,
      ratio.toFixed(2),
    ]),
  }];
}
