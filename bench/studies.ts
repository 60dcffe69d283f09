/**
 * What `deno task bench` measures other than the cases beside the peers, each by an option of its own.
 *
 * @module
 */

import { openGpu } from "../cli/backend.ts";
import config from "../deno.json" with { type: "json" };
import type { Gpu } from "../tensor/gpu.ts";
import { namesOf, unknownCase } from "./cases.ts";
import { compactTables, forwardOf, measureCompact } from "./compact.ts";
import { compactCases, SECONDS } from "./compact_cases.ts";
import { exportTables, measureExport } from "./export.ts";
import { gatesTables, measureGates } from "./gates.ts";
import { halfTables, measureHalf } from "./half.ts";
import { HOST_CASES, hostTables, measureHost } from "./host.ts";
import { loadTables, measureLoad } from "./load.ts";
import { measureMemory, MEMORY_CASES, memoryTables } from "./memory.ts";
import { ours } from "./ours.ts";
import type { PeerCase } from "./peers/peer.ts";
import { type Profile, profile, profileTable, shaderTable } from "./profile.ts";
import { progress } from "./progress.ts";
import {
  type BenchRecord,
  commitOf,
  now,
  RUNTIME,
  tablesText,
  type TitledTable,
  writeRecord,
} from "./record.ts";
import { measureRuntimes, type RuntimeCost, runtimeTables } from "./runtime.ts";
import { measureSubgroups, SUBGROUP_CASES, subgroupTables } from "./subgroups.ts";
import { measureStreaming, streamingTables } from "./streaming.ts";
import { CACHES, measureStartup, startupTables } from "./startup.ts";

/** The options of `bench` that the studies use. */
export interface StudyOptions {
  readonly only?: string | undefined;
  /** Samples; by default as many as the study takes. */
  readonly rounds?: number | undefined;
  /** Seconds of audio, where they can be chosen. */
  readonly seconds?: number | undefined;
  readonly json: boolean;
  /** Folder for the record; no record is written without it. */
  readonly out?: string | undefined;
  readonly profile: boolean;
  /** Whether --profile is of the compact models. */
  readonly compact?: boolean;
  /** Folder of another checkout to compare with. */
  readonly against?: string | undefined;
}

/** A study: what it measures, and its tables. */
export interface Study<T = never> {
  measure(options: StudyOptions): Promise<{ readonly adapter: string; readonly result: T }>;
  tables(result: T): TitledTable[];
  /** The tables for a page of the documentation, where they are not the same. */
  page?(result: T): TitledTable[];
  /** Whether a part of it failed, which the exit status states. */
  failed(result: T): boolean;
}

/** Samples of each library or model, unless a study has another default. */
export const ROUNDS = 5;

function study<T>(
  measure: Study<T>["measure"],
  tables: Study<T>["tables"],
  failed: Study<T>["failed"] = () => false,
): Study<T> {
  return { measure, tables, failed };
}

/** Measures on a device that is destroyed after it. */
const onGpu =
  <T>(measure: (gpu: Gpu, options: StudyOptions) => Promise<T>) => async (options: StudyOptions) => {
    using gpu = await openGpu({ profile: options.profile });
    return { adapter: gpu.name, result: await measure(gpu, options) };
  };

/** Measures on devices, or in processes, of its own. */
const elsewhere = <T>(measure: (options: StudyOptions) => Promise<T>) => async (options: StudyOptions) => {
  using gpu = await openGpu();
  return { adapter: gpu.name, result: await measure(options) };
};

/** The studies, by option. */
export const STUDIES = {
  compact: study(elsewhere(compact), compactTables),
  gates: study(onGpu((gpu, { rounds = ROUNDS }) => measureGates(gpu, rounds)), gatesTables),
  half: study(elsewhere(({ rounds = ROUNDS }) => measureHalf(rounds)), halfTables),
  host: study(elsewhere(host), hostTables),
  export: study(elsewhere(({ rounds = ROUNDS }) => measureExport(rounds, progress)), exportTables),
  load: study(elsewhere(({ rounds = ROUNDS }) => measureLoad(rounds, progress)), loadTables),
  memory: study(elsewhere(memory), memoryTables),
  runtime: study(
    elsewhere(runtimes),
    ({ seconds, costs }: { readonly seconds: number; readonly costs: readonly RuntimeCost[] }) =>
      runtimeTables(`wav2vec2-base and half of it, random weights, ${seconds} s of audio`, costs),
    ({ costs }) => costs.some(({ error }) => error !== null),
  ),
  subgroups: study(elsewhere(subgroups), subgroupTables),
  streaming: study(elsewhere(() => measureStreaming(progress)), streamingTables),
  startup: study(elsewhere(startup), startupTables),
  profile: {
    ...study(onGpu(profiles), (of: readonly Profile[]) => of.map(profileTable)),
    page: (of: readonly Profile[]) => of.map(shaderTable),
  },
} as const;

/** Names of the studies. */
export type StudyName = keyof typeof STUDIES;

/**
 * The study that a command line asks for; null if there is none. With --compact, --profile is an option of that study: its
 * models are profiled.
 */
export function studyOf(values: { readonly [S in StudyName]: boolean }): StudyName | null {
  if (values.profile) return "profile";
  return (Object.keys(STUDIES) as StudyName[]).find((name) => values[name]) ?? null;
}

/** Runs a study, prints its tables or its record, and writes the record. @returns The exit status. */
export async function runStudy(name: StudyName, options: StudyOptions): Promise<number> {
  const { measure, tables, failed } = STUDIES[name] as unknown as Study<unknown>;
  const [date, commit, start] = [now(), await commitOf(), performance.now()];
  const load = { load: Deno.loadavg()[0]!, cores: navigator.hardwareConcurrency };
  const { adapter, result } = await measure(options);
  progress("");
  const record: BenchRecord = {
    ...{ part: name, date, commit, adapter, runtime: RUNTIME },
    command: ["deno task bench", ...Deno.args].join(" "),
    ...load,
    ...{ quick: false, seconds: Math.round((performance.now() - start) / 1000), error: null, result },
  };
  if (options.out !== undefined) await writeRecord(options.out, record);
  console.log(
    options.json ? JSON.stringify(record, null, 2) : `On ${adapter}\n\n${tablesText(tables(result))}`,
  );
  return failed(result) ? 1 : 0;
}

async function casesOf(only: string) {
  const all = await compactCases();
  const cases = all.filter(({ name }) => name.includes(only));
  if (cases.length === 0) throw unknownCase(only, all.map(({ name }) => name));
  return cases;
}

async function compact({ only = "", rounds = 11 }: StudyOptions) {
  return await measureCompact(await casesOf(only), rounds, progress);
}

async function host({ only = "", against, rounds = 3 }: StudyOptions) {
  if (!HOST_CASES.some((name) => name.includes(only))) throw unknownCase(only, HOST_CASES);
  return await measureHost({ only, against: against ?? null, rounds, progress });
}

async function memory({ only = "" }: StudyOptions) {
  const cases = MEMORY_CASES.filter(({ model }) => model.includes(only));
  if (cases.length === 0) throw unknownCase(only, MEMORY_CASES.map(({ model }) => model));
  return await measureMemory(cases, progress);
}

async function runtimes({ seconds = SECONDS, rounds = ROUNDS }: StudyOptions) {
  return { seconds, costs: await measureRuntimes({ seconds, rounds, progress }) };
}

async function startup({ only = "", rounds = ROUNDS, against }: StudyOptions) {
  const caches = CACHES.filter((name) => name.includes(only));
  if (caches.length === 0) throw unknownCase(only, CACHES);
  return await measureStartup({ caches, rounds, against: against ?? null, progress });
}

async function subgroups({ only = "", rounds = ROUNDS }: StudyOptions) {
  const names = SUBGROUP_CASES.filter((name) => name.includes(only));
  if (names.length === 0) throw unknownCase(only, SUBGROUP_CASES);
  return await measureSubgroups({ names, rounds, progress });
}

async function profiles(gpu: Gpu, options: StudyOptions): Promise<Profile[]> {
  const { only, compact, rounds = ROUNDS } = options;
  const of: Profile[] = [];
  const add = async (name: string, work: PeerCase) => {
    progress(`${name}: profiling`);
    of.push(await profile(gpu, name, work, rounds));
    work.dispose();
  };
  if (compact) {
    for (const { name, compact } of await casesOf(only ?? "")) await add(name, forwardOf(gpu, compact));
    return of;
  }
  const { cases } = ours(gpu, config.version);
  for (const name of namesOf(only ?? "train_step")) await add(name, await cases.get(name)!());
  return of;
}
