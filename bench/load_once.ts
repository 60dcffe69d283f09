/**
 * Loads a model and prints time and peak memory as JSON: one process of `bench --load`.
 *
 * @module
 */

import { readCheckpoint } from "../model/checkpoint/read.ts";

const [path] = Deno.args;
const start = performance.now();
const checkpoint = path === undefined ? null : await readCheckpoint(path);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ seconds, memory: await peakMemory(), tensors: checkpoint?.tensors.size ?? 0 }));

/** The most memory that the process has had: of Linux, else what it has now. */
async function peakMemory(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? Deno.memoryUsage().rss : 1024 * Number(kilobytes);
}
