/**
 * What commands that run for long have in common: their output folder, their progress, and the interrupt.
 *
 * @module
 */
import type { Gpu } from "../tensor/gpu.ts";
import type { MemoryNeed } from "../train/memory.ts";
import { Progress } from "../train/progress.ts";
import { UserError } from "./user_error.ts";

/**
 * Makes sure that a run destroys nothing.
 *
 * @param doing what the command does: `train`
 * @param out folder that it is to write
 * @throws {UserError} it holds something, or is no folder
 */
export async function refuseOutput(doing: string, out: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(out)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new UserError(`Cannot ${doing} as the output must be a folder: ${out} is none`);
  });
  if (names.length === 0) return;
  throw new UserError(`Cannot ${doing} as the output is there already: ${out} (--resume goes on with a run)`);
}

/** How much memory a run takes, for a person. */
export function memoryText({ name, software }: Gpu, { deviceBytes, hostBytes }: MemoryNeed): string {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  const all = software
    ? `, ${gigabytes(deviceBytes + hostBytes)} together, as this device has none of its own`
    : "";
  return `memory: ${gigabytes(deviceBytes)} on ${name}, ${gigabytes(hostBytes)} beside it${all}`;
}

/** Progress of so many steps on standard error: a line that changes on a terminal, else lines from time to time. */
export function progressOf(steps: number): Progress {
  const terminal = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  return new Progress({
    steps,
    terminal,
    write: (text) =>
      terminal ? void Deno.stderr.writeSync(encoder.encode(text)) : console.error(text.replace(/\n$/, "")),
    ...terminal && { columns: Deno.consoleSize().columns },
  });
}

/**
 * Does long work that an interrupt ends after the step; a second one ends it at once.
 *
 * @param work what to do; it is given the signal
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => {
    console.error("\nstops after this step; once more ends at once");
    Deno.removeSignalListener("SIGINT", interrupt);
    stop.abort();
  };
  Deno.addSignalListener("SIGINT", interrupt);
  try {
    return await work(stop.signal);
  } finally {
    if (!stop.signal.aborted) Deno.removeSignalListener("SIGINT", interrupt);
  }
}
