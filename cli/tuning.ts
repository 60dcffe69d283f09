/**
 * Which kernel computes products of each size on this machine's adapter: measured once, kept in the user's cache.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { cacheFolder } from "../data/cache_folder.ts";
import { type GemmTiming, tuneGemm, tuningOf } from "../kernels/gemm/tuning.ts";
import { readFileIfExists, writeFileAtomic } from "../model/checkpoint/atomic_file.ts";
import { GEMM_VARIANTS, type GemmVariant } from "../kernels/gemm/choice.ts";
import { setGemm } from "../kernels/gemm/policy.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { UserError } from "./user_error.ts";

/** What was measured on an adapter. */
export interface Tuning {
  /** Name of the adapter, as its driver gives it. */
  readonly adapter: string;
  /** Version of this program, whose kernels were measured. */
  readonly version: string;
  /** Time of every kernel by class of products. */
  readonly timings: readonly GemmTiming[];
}

/** Variable that names one kernel for all products, whatever was measured. */
const VARIABLE = "ESPALIER_GEMM";

/** Where the measurement of an adapter is kept. */
export function tuningFile(adapter: string): string {
  return `${cacheFolder()}/gemm/${adapter.replaceAll(/[^\w.]+/g, "-")}.json`;
}

/** What was measured on the device's adapter with the kernels of this version, and all of them; null if nothing was. */
export async function readTuning(gpu: Gpu): Promise<Tuning | null> {
  const bytes = await readFileIfExists(tuningFile(gpu.name));
  if (!bytes) return null;
  try {
    const tuning = JSON.parse(new TextDecoder().decode(bytes)) as Tuning;
    const measured = new Set(tuning.timings.flatMap(({ ms }) => Object.keys(ms)));
    const all = measured.symmetricDifference(new Set(GEMM_VARIANTS)).size === 0;
    return all && tuning.adapter === gpu.name && tuning.version === config.version ? tuning : null;
  } catch { // cut short, or of another program: it can be made again
    return null;
  }
}

/** Measures, which takes seconds on a graphics processor and a minute or two on a software adapter, and keeps it. */
export async function measureTuning(gpu: Gpu): Promise<Tuning> {
  const timings = await tuneGemm(gpu, {
    onTiming: ({ name, best }) => console.error(`products ${name}: ${best}`),
  });
  const tuning = { adapter: gpu.name, version: config.version, timings };
  const path = tuningFile(gpu.name);
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await writeFileAtomic(path, [new TextEncoder().encode(`${JSON.stringify(tuning, null, 2)}\n`)]);
  return tuning;
}

/**
 * Has a device use what was measured on its adapter, or the kernel that the user named.
 *
 * @param gpu device whose choice is set
 * @param measure whether to measure if nothing was yet; software adapters keep the usual choice all the same
 * @throws {UserError} the variable names no kernel
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

/** The choice for a person: a line for each class, with the times relative to the fastest kernel's. */
export function tuningText({ timings }: Tuning): string {
  const rows = [["shorter side, results, terms", "fastest", "ms", ...GEMM_VARIANTS]];
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
