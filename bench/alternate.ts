/**
 * Samples of several works in alternation, so that other load on the machine slows all of them alike.
 *
 * @module
 */

import process from "node:process";
import { median } from "./statistics.ts";

/** One execution. */
export interface Sample {
  /** Wall time in milliseconds. */
  readonly wall: number;
  /** CPU time of all threads in milliseconds, which other load hardly changes: all of the work on a software adapter. */
  readonly cpu: number;
}

/** Executes works in alternation, after one execution of each. @returns The samples of each work. */
export async function alternate(
  works: readonly (() => Promise<unknown>)[],
  rounds: number,
): Promise<Sample[][]> {
  for (const work of works) await work();
  const samples = works.map(() => [] as Sample[]);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) {
      const [start, before] = [performance.now(), process.cpuUsage()];
      await work();
      const { user, system } = process.cpuUsage(before);
      samples[i]!.push({ wall: performance.now() - start, cpu: (user + system) / 1000 });
    }
  }
  return samples;
}

/** The median wall or CPU time in milliseconds. */
export function medianOf(samples: readonly Sample[], key: keyof Sample): number {
  return median(samples.map((sample) => sample[key]));
}
