/**
 * What `deno task bench` measures other than the cases beside the peers, each by an option of its own.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import config from "../deno.json" with { type: "json" };
import { namesOf, unknownCase } from "./cases.ts";
import { compactTable, forwardOf, measureCompact } from "./compact.ts";
import { compactCases } from "./compact_cases.ts";
import { measureGates } from "./gates.ts";
import { GEMM_LAYOUTS, gemmTable, measureGemm, SIZES, variantsFor } from "./gemm.ts";
import { halfTable, measureHalf } from "./half.ts";
import { HOST_CASES, hostTable, measureHost } from "./host.ts";
import { loadTable, measureLoad } from "./load.ts";
import { ours } from "./ours.ts";
import type { PeerCase } from "./peers/peer.ts";
import { profile, profileTable } from "./profile.ts";
import { progress } from "./progress.ts";
import { measureRuntimes, runtimeTable } from "./runtime.ts";
import type { Gpu } from "../tensor/gpu.ts";

/** The options of `bench` that the studies use. */
export interface StudyOptions {
  readonly only?: string | undefined;
  /** Samples; by default as many as the study takes. */
  readonly rounds?: number | undefined;
  readonly json: boolean;
  readonly profile: boolean;
  /** Folder of another checkout to compare with. */
  readonly against?: string | undefined;
}

/** Samples of each library or model, unless a study has another default. */
export const ROUNDS = 5;

const STUDIES = {
  compact: runCompact,
  gates: runGates,
  runtime: runRuntimes,
  half: runHalf,
  gemm: runGemm,
  host: runHost,
  load: runLoad,
  profile: runProfile,
} satisfies Record<string, (options: StudyOptions) => Promise<number>>;

/** The study that a command line asks for; null if there is none. */
export function studyOf(
  values: { readonly [S in keyof typeof STUDIES]: boolean },
): ((options: StudyOptions) => Promise<number>) | null {
  const name = (Object.keys(STUDIES) as (keyof typeof STUDIES)[]).find((name) => values[name]);
  return name ? STUDIES[name] : null;
}

async function runProfile({ only = "train_step" }: StudyOptions): Promise<number> {
  const gpu = await openGpu({ profile: true });
  try {
    const { cases } = ours(gpu, config.version);
    for (const name of namesOf(only)) await printProfile(gpu, name, await cases.get(name)!());
    return 0;
  } finally {
    progress("");
    gpu.destroy();
  }
}

async function printProfile(gpu: Gpu, name: string, work: PeerCase): Promise<void> {
  progress(`${name}: profiling`);
  console.log(`${name} on ${gpu.name}\n\n${profileTable(await profile(gpu, work, 5))}\n`);
  work.dispose();
}

async function runCompact(options: StudyOptions): Promise<number> {
  const { only = "", rounds = 11 } = options;
  const cases = (await compactCases()).filter(({ name }) => name.includes(only));
  if (cases.length === 0) throw unknownCase(only, (await compactCases()).map(({ name }) => name));
  const gpu = await openGpu({ profile: options.profile });
  try {
    if (options.profile) {
      for (const { name, compact } of cases) await printProfile(gpu, name, forwardOf(gpu, compact));
      return 0;
    }
    const times = await measureCompact(gpu, cases, rounds, progress);
    progress("");
    if (options.json) console.log(JSON.stringify({ adapter: gpu.name, rounds, times }, null, 2));
    else console.log(`Random weights, 10 s of audio, on ${gpu.name}\n\n${compactTable(times)}`);
    return 0;
  } finally {
    gpu.destroy();
  }
}

async function runHalf({ rounds = ROUNDS }: StudyOptions): Promise<number> {
  const costs = await measureHalf(rounds);
  console.log(`wav2vec2-base, random weights, 10 s of audio\n\n${halfTable(costs)}`);
  return 0;
}

async function runRuntimes({ rounds = ROUNDS }: StudyOptions): Promise<number> {
  const costs = await measureRuntimes({ rounds, progress });
  progress("");
  console.log(`wav2vec2-base and half of it, random weights, 10 s of audio\n\n${runtimeTable(costs)}`);
  return costs.every(({ error }) => error === null) ? 0 : 1;
}

async function runGemm(): Promise<number> {
  const timed = await openGpu({ profile: true });
  const plain = await openGpu();
  try {
    const layouts = { f32: GEMM_LAYOUTS, f16: GEMM_LAYOUTS.slice(0, 1) };
    const variants = variantsFor(timed);
    const speeds = await measureGemm({ timed, plain, sizes: SIZES, layouts, variants, progress });
    progress("");
    const how = timed.software ? "by timestamps" : "by timestamps or in a row, whichever is faster";
    console.log(`GEMM on ${timed.name}, ${how}\n\n${gemmTable(speeds)}`);
    return 0;
  } finally {
    timed.destroy();
    plain.destroy();
  }
}

async function runHost({ only = "", against, rounds = 3, json }: StudyOptions): Promise<number> {
  if (!HOST_CASES.some((name) => name.includes(only))) throw unknownCase(only, HOST_CASES);
  const steps = await measureHost({ only, against: against ?? null, rounds, progress });
  progress("");
  console.log(json ? JSON.stringify(steps, null, 2) : `On ${steps[0]!.adapter}\n\n${hostTable(steps)}`);
  return 0;
}

async function runLoad({ rounds = ROUNDS }: StudyOptions): Promise<number> {
  const costs = await measureLoad(rounds, progress);
  progress("");
  console.log(`wav2vec2-base, random weights, each file in its own process\n\n${loadTable(costs)}`);
  return 0;
}

async function runGates({ rounds = ROUNDS }: StudyOptions): Promise<number> {
  const gpu = await openGpu();
  try {
    const { open, half, ratio } = await measureGates(gpu, rounds);
    console.log(
      `a pruning step of 16 s of audio on ${gpu.name}: ${open.toFixed(0)} ms with all units open, ` +
        `${half.toFixed(0)} ms with half of them closed, ratio ${ratio.toFixed(3)}`,
    );
    return 0;
  } finally {
    gpu.destroy();
  }
}
