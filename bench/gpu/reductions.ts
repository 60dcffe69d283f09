/**
 * Part `reductions`: norms, softmax, CTC and the gradient norm, with and without subgroups.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import type { TitledTable } from "../record.ts";
import { digits, geometricMean } from "../statistics.ts";
import { measureSubgroups, SUBGROUP_CASES, subgroupTables, type SubgroupTimes } from "../subgroups.ts";
import type { PartRequest } from "./part.ts";

/** Times of the cases. */
export interface Reductions {
  readonly adapter: string;
  readonly times: readonly SubgroupTimes[];
}

/** Measures. @throws {Error} The device has no subgroups, or the values with and without differ. */
export async function measure({ quick }: PartRequest): Promise<Reductions> {
  const gpu = await openGpu();
  const { name: adapter } = gpu;
  gpu.destroy();
  const names = quick ? SUBGROUP_CASES.filter((name) => name.includes("cross_entropy")) : SUBGROUP_CASES;
  return { adapter, times: await measureSubgroups({ names, rounds: quick ? 1 : 3, progress: () => {} }) };
}

/** Name of the adapter. */
export const adapter = (result: Reductions): string => result.adapter;

/** The gain in one line. */
export function summary({ times }: Reductions): string {
  const ratio = geometricMean(times.map((time) => time.without / time.with));
  return `${digits(ratio)} times as fast with subgroups (geometric mean of ${times.length})`;
}

/** Times with and without. */
export const tables = ({ times }: Reductions): TitledTable[] => subgroupTables(times);
