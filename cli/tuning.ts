/**
 * Which kernel computes GEMMs of each size on this machine's adapter: measured once, kept in the user's cache.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { cacheFolder } from "../data/cache_folder.ts";
import { type GemmTiming, tuneGemm, tuningOf } from "../kernels/gemm/tuning.ts";
import { readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";
import { acquireLock } from "../files/lock.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../kernels/gemm/choice.ts";
import { setGemm } from "../kernels/gemm/policy.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { log, waitFor } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** Measured times on an adapter. */
export interface Tuning {
  /** Name of the adapter, as its driver gives it. */
  readonly adapter: string;
  /** Version of this program, whose kernels were measured. */
  readonly version: string;
  /** Time of every kernel by size class. */
  readonly timings: readonly GemmTiming[];
}

/** Variable that selects one kernel for all GEMMs, whatever was measured. */
const VARIABLE = "ESPALIER_GEMM";

/** File of an adapter's measured times. */
export function tuningFile(adapter: string): string {
  return `${cacheFolder()}/gemm/${adapter.replaceAll(/[^\w.]+/g, "-")}.json`;
}

/** Times measured on the device's adapter with all kernels of this version; null if there are none. */
export async function readTuning(gpu: Gpu): Promise<Tuning | null> {
  const bytes = await readFileIfExists(tuningFile(gpu.name));
  if (!bytes) return null;
  try {
    const tuning = JSON.parse(new TextDecoder().decode(bytes)) as Tuning;
    const measured = new Set(tuning.timings.flatMap(({ ms }) => Object.keys(ms)));
    const all = measured.symmetricDifference(new Set(GEMM_VARIANTS)).size === 0;
    return all && tuning.adapter === gpu.name && tuning.version === config.version ? tuning : null;
  } catch { // truncated, or of another program: it is measured again
    return null;
  }
}

/**
 * Measures and saves the times: seconds on a GPU, a minute or two on a software adapter. Where another process measures
 * them now, its times are waited for and used.
 */
export async function measureTuning(gpu: Gpu): Promise<Tuning> {
  const path = tuningFile(gpu.name);
  let waited = false;
  const onWait = (holder: string) => {
    waited = true;
    waitFor("measures the GEMM kernels")(holder);
  };
  using _lock = await acquireLock(`${path}.lock`, { target: path, onWait });
  const measured = waited ? await readTuning(gpu) : null;
  if (measured) return measured;
  const timings = await tuneGemm(gpu, {
    onTiming: ({ name, best }) => log(`GEMM ${name}: ${best}`),
  });
  const tuning = { adapter: gpu.name, version: config.version, timings };
  await writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(tuning, null, 2)}\n`)]);
  return tuning;
}

/**
 * Makes a device use the fastest kernels measured on its adapter, or the kernel that the user selected.
 *
 * @param gpu device whose kernel choice is set
 * @param measure whether to measure if there are no times yet; software adapters keep the default choice in that case
 * @throws {UserError} the variable does not name a kernel
 */
export async function applyTuning(gpu: Gpu, measure = false): Promise<void> {
  const named = Deno.env.get(VARIABLE);
  if (named) {
    if (!GEMM_VARIANTS.includes(named as GemmVariant)) {
      throw new UserError(
        `Cannot compute as ${VARIABLE} must be one of ${GEMM_VARIANTS.join(", ")}: ${JSON.stringify(named)}`,
      );
    }
    setGemm(gpu, named as GemmVariant);
  } else {
    const tuning = await readTuning(gpu) ?? (measure && !gpu.software ? await measureTuning(gpu) : null);
    if (tuning) setGemm(gpu, tuningOf(tuning.timings));
  }
}

/** The choice as text: a line for each size class, with times relative to the fastest kernel. */
export function tuningText({ timings }: Tuning): string {
  const rows = [["min(M, N), M·N, K", "fastest", "ms", ...GEMM_VARIANTS]];
  for (const { name, ms, best } of timings) {
    const least = ms[best]!;
    const ratio = (time: number | undefined) => time === undefined ? "" : (time / least).toFixed(2);
    rows.push([
      name,
      best,
      least.toPrecision(3),
      ...GEMM_VARIANTS.map((variant) => ratio(ms[variant])),
    ]);
  }
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const pad = (cell: string, i: number) => i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
