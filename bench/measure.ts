/**
 * Alternating measurement of one case in several libraries.
 *
 * A wait for the device takes 10 ms or more in Deno, so short work is repeated before each wait. The rule is the same
 * for every library: as many executions as it takes for a sample to last {@linkcode SAMPLE_MS}.
 *
 * @module
 */

import { relativeDifference, TOLERANCE } from "./compare.ts";
import type { Peer, PeerCase } from "./peers/peer.ts";
import { median } from "./statistics.ts";

/** Shortest sample, in milliseconds. */
export const SAMPLE_MS = 200;

/** Most executions in a sample. */
const MOST = 512;

/** One library's time for a case. */
export interface Measured {
  /** Median over the rounds, for one execution; null if it failed or does not offer the case. */
  readonly ms: number | null;
  /** Every sample, for one execution. */
  readonly samples: readonly number[];
  /** Executions in a sample. */
  readonly repeat: number;
  /** Why there is no time. */
  readonly error: string | null;
  /** Whether that is because its values are not those of the first library. */
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

/** How {@linkcode measure} goes about it. */
export interface MeasureOptions {
  /** Samples of each library. */
  readonly rounds: number;
  /** Told what happens. */
  readonly progress: (message: string) => void;
}

/**
 * Measures one case: every library is warmed up and its values compared with those of the first, then all take turns.
 *
 * @param libraries Ours first.
 * @returns One measurement for each library, in their order; null where it does not offer the case.
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
  const each = async (what: string, work: (runner: Runner, library: Peer) => Promise<void>) => {
    for (const [library, runner] of runners) {
      if (runner.error !== null) continue;
      progress(`${name}: ${library.name} ${what}`);
      try {
        await work(runner, library);
      } catch (error) {
        runner.error = error instanceof Error ? error.message : String(error);
      }
    }
  };
  try {
    await each("compiles", async (runner, library) => {
      runner.case = await library.cases.get(name)!();
      const values = await runner.case.check?.();
      if (values) runner.values = values;
    });
    compare([...runners]);
    await each("warms up", async (runner) => void (runner.repeat = await repeats(runner.case!)));
    for (let round = 1; round <= rounds; round++) {
      await each(`round ${round} of ${rounds}`, async (runner) => {
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

/** Marks the libraries whose values are not those of the first. */
function compare(runners: readonly (readonly [Peer, Runner])[]): void {
  const [first, ...others] = runners;
  if (!first) return;
  const [{ name }, { values }] = first;
  if (!values) return;
  for (const [, other] of others) {
    if (!other.values) continue;
    const difference = relativeDifference(values, other.values);
    if (difference <= TOLERANCE) continue;
    other.disagrees = true;
    other.error = `values differ from ${name}'s by ${difference.toExponential(1)}: ${
      list(other.values)
    } for ${list(values)}`;
  }
}

const list = (values: Float32Array) => `[${Array.from(values, (value) => value.toPrecision(7)).join(", ")}]`;

/** How many executions a sample takes. */
async function repeats(work: PeerCase): Promise<number> {
  let repeat = 1;
  let ms = await time(work, repeat);
  while (ms < SAMPLE_MS && repeat < MOST) {
    const wanted = Math.ceil(repeat * SAMPLE_MS * 1.1 / ms);
    repeat = Math.min(MOST, Math.max(repeat + 1, Math.min(wanted, 4 * repeat)));
    ms = await time(work, repeat);
  }
  return repeat;
}

async function time(work: PeerCase, repeat: number): Promise<number> {
  const start = performance.now();
  await work.run(repeat);
  return performance.now() - start;
}
