/**
 * Measures reductions by subgroups beside those in workgroup memory, each on its own device.
 *
 * @module
 */

import process from "node:process";
import { openGpu } from "../cli/backend.ts";
import config from "../deno.json" with { type: "json" };
import { ctc } from "../kernels/ctc.ts";
import { logSoftmax } from "../kernels/log_softmax.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { uniformTensor } from "./inputs.ts";
import { measure, type Measured } from "./measure.ts";
import { gradient, one, ours } from "./ours.ts";
import type { Peer, PeerCase } from "./peers/peer.ts";
import type { TitledTable } from "./record.ts";
import { digits } from "./statistics.ts";
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

/** Times of a case, in milliseconds. */
export interface SubgroupTimes {
  readonly name: string;
  /** Whether the kernels are those of this adapter, or on a software adapter those of GPUs. */
  readonly kernels: "own" | "gpu";
  /** Median time without subgroups, and with. */
  readonly without: number;
  readonly with: number;
  /** The least CPU time of all threads, which other work on the machine hardly changes; all of the work on a software adapter. */
  readonly cpuWithout: number;
  readonly cpuWith: number;
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
    const used = { without: [] as number[], with: [] as number[] };
    const libraries = [casesOf(plain, "without", used.without), casesOf(gpu, "with", used.with)];
    for (const name of names) {
      const [off, on] = (await measure(name, libraries, { rounds, progress })) as [Measured, Measured];
      const error = off.error ?? on.error;
      if (error !== null) throw new Error(`${name}: ${error}`);
      const least = (samples: readonly number[]) => Math.min(...samples.slice(-rounds));
      const [cpuWithout, cpuWith] = [least(used.without), least(used.with)];
      times.push({ name, kernels, without: off.ms!, with: on.ms!, cpuWithout, cpuWith });
    }
    if (kernels === "own" && !gpu.software) break;
  }
  return times;
}

/** The cases on a device; `used` receives the CPU time of an execution in each sample. */
function casesOf(gpu: Gpu, name: string, used: number[]): Peer {
  const { cases, ...library } = ours(gpu, config.version);
  const x = (shape: number[]) => uniformTensor(shape, 68, 3);
  const rows = [512, WIDE];
  const wide = { inputs: [x(rows)], cotangent: uniformTensor(rows, 69) };
  const frames = { inputs: [x([CTC.batch, CTC.frames, WIDE])], cotangent: one };
  const { targets } = ctcInputs();
  const lengths = targets.map(() => CTC.frames);
  const all: Peer["cases"] = new Map([
    ...cases,
    ["log_softmax_512x4096", () => Promise.resolve(gradient(gpu, wide, (x) => logSoftmax(x!)))],
    ["ctc_b4_t200_v4096_s40", () => Promise.resolve(gradient(gpu, frames, (x) => ctc(x!, lengths, targets)))],
  ]);
  const timed = async (make: () => Promise<PeerCase>): Promise<PeerCase> => {
    const work = await make();
    const run = async (repeat: number) => {
      const start = process.cpuUsage();
      await work.run(repeat);
      const { user, system } = process.cpuUsage(start);
      used.push((user + system) / 1000 / repeat);
    };
    return { ...work, run };
  };
  return { ...library, name, cases: new Map([...all].map(([name, make]) => [name, () => timed(make)])) };
}

/** The times as a table. */
export function subgroupTables(times: readonly SubgroupTimes[]): TitledTable[] {
  return [{
    title: "Value and gradients, without and with subgroups, in alternation",
    head: ["case", "kernels", "without", "with", "CPU without", "CPU with", "CPU with / without"],
    rows: times.map(({ name, kernels, without, with: on, cpuWithout, cpuWith }) => [
      name,
      kernels === "own" ? "of this adapter" : "of GPUs",
      ...[without, on, cpuWithout, cpuWith].map((ms) => `${digits(ms)} ms`),
      (cpuWith / cpuWithout).toFixed(2),
    ]),
  }];
}
