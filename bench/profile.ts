/**
 * Profiles a case of this library kernel by kernel, by timestamp queries.
 *
 * @module
 */

import type { Gpu } from "../tensor/gpu.ts";
import type { KernelTime } from "../tensor/profiler.ts";
import type { PeerCase } from "./peers/peer.ts";
import type { TitledTable } from "./record.ts";
import { digits } from "./statistics.ts";

/** Times of a case by kernel. */
export interface Profile {
  readonly name: string;
  /** Number of timed executions. */
  readonly executions: number;
  /** Time by kernel and constants, summed over all executions, the slowest first. */
  readonly kernels: readonly ({ readonly label: string } & KernelTime)[];
  /** Wall time of all executions in milliseconds, with waits. */
  readonly ms: number;
}

/** Executes a case after a warm-up, with a wait after each execution. The device must have been created with `profile`. */
export async function profile(
  gpu: Gpu,
  name: string,
  work: PeerCase,
  executions: number,
): Promise<Profile> {
  const { profiler } = gpu;
  if (!profiler) throw new Error("Cannot profile as the adapter must have timestamp-query: it is missing");
  await work.run(1);
  await work.run(1);
  await gpu.sync();
  profiler.times.clear();
  const start = performance.now();
  for (let i = 0; i < executions; i++) await work.run(1);
  const ms = performance.now() - start;
  await gpu.sync();
  const kernels = [...profiler.times].map(([label, time]) => ({ label, ...time }));
  return { name, executions, kernels: kernels.sort((a, b) => b.ms - a.ms), ms };
}

/** The profile of one execution as a table, the slowest kernel first. */
export function profileTable({ name, executions, kernels, ms }: Profile): TitledTable {
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  const dispatches = kernels.reduce((sum, { count }) => sum + count, 0);
  const share = (part: number) => `${(100 * part / total).toFixed(1)} %`;
  return {
    title:
      `${name}: ${digits(dispatches / executions)} dispatches take ${digits(total / executions)} ms of the ` +
      `${digits(ms / executions)} ms of an execution; the rest is copies, the host, and the wait`,
    head: ["kernel", "dispatches", "ms", "share", "ms each"],
    rows: kernels.map(({ label, count, ms }) => [
      concise(label),
      digits(count / executions),
      digits(ms / executions),
      share(ms),
      digits(ms / count),
    ]),
  };
}

/** Dispatches and shares of the time by shader, whatever its constants and entry points. */
export function shaderTable({ name, executions, kernels }: Profile): TitledTable {
  const shaders = new Map<string, { count: number; ms: number }>();
  for (const { label, count, ms } of kernels) {
    const [shader] = /^\w+/.exec(label)!;
    const sum = shaders.get(shader) ?? { count: 0, ms: 0 };
    shaders.set(shader, { count: sum.count + count, ms: sum.ms + ms });
  }
  const total = kernels.reduce((sum, { ms }) => sum + ms, 0);
  const dispatches = kernels.reduce((sum, { count }) => sum + count, 0);
  return {
    title: `${name}, the ${dispatches / executions} dispatches of an execution by shader`,
    head: ["shader", "dispatches", "share of their time"],
    rows: [...shaders].sort(([, a], [, b]) => b.ms - a.ms).map(([shader, { count, ms }]) => [
      ...[`\`${shader}\``, String(count / executions), `${(100 * ms / total).toFixed(1)} %`],
    ]),
  };
}

/** A pipeline's label without the constants that are false. */
function concise(label: string): string {
  return label.split(" ").filter((word) => !word.endsWith("=false")).map((word) => word.replace("=true", ""))
    .join(" ");
}
