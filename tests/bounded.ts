import { assert } from "@std/assert";

/** What work may take. */
export interface Bounds {
  /** Milliseconds, where the system counts it of the CPU time of this thread, so that other work on the machine does not count. */
  readonly ms?: number;
  /** Bytes by which the resident memory of the process grows. */
  readonly bytes?: number;
}

/** Times that work beyond its bounds runs again. */
const AGAIN = 3;

/**
 * Checks that work takes little time and memory. Work beyond its bounds runs again, some times, as the memory is that of all test
 * files that run now, and not every system counts CPU time: what is slow or large by itself is so each time.
 *
 * @param what Names the work in errors.
 * @returns The result of the last time.
 */
export async function assertBounded<T>(
  { ms = Infinity, bytes = Infinity }: Bounds,
  work: () => T | Promise<T>,
  what = "it",
): Promise<T> {
  const taken: string[] = [];
  while (true) {
    const [start, before] = [threadTime(), Deno.memoryUsage().rss];
    const result = await work();
    const [time, growth] = [threadTime() - start, Deno.memoryUsage().rss - before];
    if (time < ms && growth < bytes) return result;
    taken.push(`${Math.round(time)} ms and ${Math.round(growth / 1e6)} MB`);
    assert(taken.length <= AGAIN, `${what} took ${taken.join(", ")}`);
  }
}

/** Milliseconds of CPU time of this thread; elapsed time on systems that do not count it. */
function threadTime(): number {
  try {
    return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
  } catch {
    return performance.now();
  }
}
