/**
 * Measures one case in several libraries in alternation.
 *
 * A wait for the device takes 10 ms or more in Deno, so short work is repeated before each wait: for every library as many
 * times as a sample needs to last {@linkcode SAMPLE_MS}.
 *
 * @module
 */

import { relativeDifference, TOLERANCE } from "./compare.ts";
import type { Peer, PeerCase } from "./peers/peer.ts";
import { median } from "./statistics.ts";

/** Minimum duration of a sample in milliseconds. */
export const SAMPLE_MS = 200;

/** Maximum number of executions in a sample. */
const MAX_REPEAT = 512;

/** Measurement of a case in one library. */
export interface Measured {
  /** Median time of one execution in milliseconds; null if it failed. */
  readonly ms: number | null;
  /** Time of one execution by sample. */
  readonly samples: readonly number[];
  /** Number of executions in a sample. */
  readonly repeat: number;
  /** Error message if there is no time. */
  readonly error: string | null;
  /** Whether the error is that its values differ from those of the first library. */
  readonly disagrees: boolean;
}

interface Runner {
  readonly samples: number[];
  case?: PeerCase;
  values?: Float32Array;
  repeat: number;
  error: string | null;
  disagrees: boolean;
}

/** Options of {@linkcode measure}. */
export interface MeasureOptions {
  /** Number of samples of each library. */
  readonly rounds: number;
  /** Receives a message before each step. */
  readonly progress: (message: string) => void;
}

/**
 * Measures one case. Every library is warmed up and its values are compared with those of the first; then they take turns.
 *
 * @param libraries This library first, then the peers; whatever has no values to compare may be anywhere.
 * @returns One measurement per library, in the same order; null if it does not implement the case.
 */
export async function measure(
  name: string,
  libraries: readonly Peer[],
  { rounds, progress }: MeasureOptions,
): Promise<(Measured | null)[]> {
  const runners = new Map<Peer, Runner>();
  for (const library of libraries) {
    if (library.cases.has(name)) {
      runners.set(library, { samples: [], repeat: 1, error: null, disagrees: false });
    }
  }
  const forEach = async (stage: string, work: (runner: Runner, library: Peer) => Promise<void>) => {
    for (const [library, runner] of runners) {
      if (runner.error !== null) continue;
      progress(`${name}: ${library.name} ${stage}`);
      try {
        await work(runner, library);
      } catch (error) {
        runner.error = error instanceof Error ? error.message : String(error);
      }
    }
  };
  try {
    await forEach("compiles", async (runner, library) => {
      runner.case = await library.cases.get(name)!();
      const values = await runner.case.check?.();
      if (values) runner.values = values;
    });
    compare([...runners]);
    await forEach("warms up", async (runner) => void (runner.repeat = await calibrate(runner.case!)));
    for (let round = 1; round <= rounds; round++) {
      await forEach(`round ${round} of ${rounds}`, async (runner) => {
        runner.samples.push(await time(runner.case!, runner.repeat) / runner.repeat);
      });
    }
  } finally {
    for (const runner of runners.values()) runner.case?.dispose();
  }
  return libraries.map((library) => {
    const runner = runners.get(library);
    if (!runner) return null;
    const { samples, repeat, error, disagrees } = runner;
    return { ms: error === null ? median(samples) : null, samples, repeat, error, disagrees };
  });
}

/** Marks the libraries whose values differ from those of the first. */
function compare(runners: readonly (readonly [Peer, Runner])[]): void {
  const [first, ...others] = runners.filter(([, { values }]) => values);
  if (!first) return;
  const [{ name }, { values }] = first;
  for (const [, other] of others) {
    const difference = relativeDifference(values!, other.values!);
    if (difference <= TOLERANCE) continue;
    other.disagrees = true;
    other.error = `values differ from ${name}'s by ${difference.toExponential(1)}: ${
      listOf(other.values!)
    } for ${listOf(values!)}`;
  }
}

const listOf = (values: Float32Array) =>
  `[${Array.from(values, (value) => value.toPrecision(7)).join(", ")}]`;

/** The number of executions in a sample. */
async function calibrate(work: PeerCase): Promise<number> {
  let repeat = 1;
  let ms = await time(work, repeat);
  while (ms < SAMPLE_MS && repeat < MAX_REPEAT) {
    const needed = Math.ceil(repeat * SAMPLE_MS * 1.1 / ms);
    repeat = Math.min(MAX_REPEAT, Math.max(repeat + 1, Math.min(needed, 4 * repeat)));
    ms = await time(work, repeat);
  }
  return repeat;
}

async function time(work: PeerCase, repeat: number): Promise<number> {
  const start = performance.now();
  await work.run(repeat);
  return performance.now() - start;
}
