/**
 * Runs the parts of `bench:gpu`, each in a process of its own with a time limit, so that none takes the others down.
 *
 * @module
 */

import { type BenchRecord, readRecord, recordFile, writeRecord } from "../record.ts";
import type { Part } from "./part.ts";
import type { ProcessRequest } from "./part_process.ts";

/** How a part ended. */
export interface Outcome {
  readonly part: Part;
  readonly seconds: number;
  /** Why it failed; null if it did not. */
  readonly error: string | null;
  /** Its record; null if nothing was measured. */
  readonly record: BenchRecord | null;
}

/** Options of {@linkcode runParts}. */
export interface RunOptions {
  /** Folder of the records. */
  readonly out: string;
  readonly quick: boolean;
  /** Seconds for all parts together; a part for which less than its limit is left has that, and the last one all that is left. */
  readonly seconds: number;
  readonly origin: ProcessRequest["origin"];
  /** Called before a part, and with how it ended. */
  readonly onStart?: (part: Part) => void;
  readonly onEnd?: (outcome: Outcome) => void | Promise<void>;
}

/** A part that has less time is not begun. */
const LEAST_SECONDS = 5;

/** Factor of the limits with tiny shapes, which are run on slow and busy machines. */
const PATIENCE = 4;

const SCRIPT = new URL("part_process.ts", import.meta.url).href;
const LOCK = new URL("../../dev.lock", import.meta.url).pathname;

/** Runs the parts one after another. */
export async function runParts(parts: readonly Part[], options: RunOptions): Promise<Outcome[]> {
  const end = performance.now() + options.seconds * 1000;
  const outcomes: Outcome[] = [];
  for (const part of parts) {
    const left = (end - performance.now()) / 1000;
    const most = part === parts.at(-1) ? left : options.quick ? PATIENCE * part.seconds : part.seconds;
    options.onStart?.(part);
    const outcome = left < LEAST_SECONDS
      ? { part, seconds: 0, error: "there was no time left for it", record: null }
      : await runPart(part, Math.min(left, most), options);
    outcomes.push(outcome);
    await options.onEnd?.(outcome);
  }
  return outcomes;
}

/** Runs a part. What it saved before it failed stays, with the reason. */
async function runPart(part: Part, seconds: number, options: RunOptions): Promise<Outcome> {
  const { out, quick, origin } = options;
  await Deno.remove(recordFile(out, part.name)).catch(() => {});
  const start = performance.now();
  const failure = await endsBy(seconds, { part, out, quick, seconds, origin });
  const taken = (performance.now() - start) / 1000;
  const saved = await readRecord(out, part.name);
  const error = failure ?? (saved ? null : "it wrote no record");
  if (error === null) return { part, seconds: taken, error, record: saved };
  const empty = { part: part.name, ...origin, adapter: "", quick, result: null };
  const record: BenchRecord = { ...empty, ...saved, seconds: Math.round(taken * 10) / 10, error };
  await writeRecord(out, record);
  return { part, seconds: taken, error, record };
}

/** Why the process of a part failed; null if it did not. It ends with all processes that it started. */
async function endsBy(seconds: number, request: ProcessRequest): Promise<string | null> {
  const args = ["run", "-A", "--no-check", `--lock=${LOCK}`, SCRIPT, JSON.stringify(request)];
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true, // the leader of a group of processes
  }).spawn();
  const end = () => {
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch { /* it has ended */ }
  };
  const interrupt = () => {
    end();
    Deno.exit(130);
  };
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, seconds * 1000);
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  try {
    const { success, code, stderr } = await child.output();
    if (late) return `it took more than ${Math.round(seconds)} s`;
    return success ? null : reasonOf(new TextDecoder().decode(stderr), code);
  } finally {
    for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
    clearTimeout(timer);
    end();
  }
}

/** The line of an error on standard error, or the exit status. */
function reasonOf(text: string, code: number): string {
  const lines = text.split("\n").map((line) => line.trim());
  const error = lines.find((line) => /error\b.*:/i.test(line)) ?? lines.filter(Boolean).at(-1);
  return error === undefined
    ? `exit status ${code}`
    : error.replace(/^error: (Uncaught )?(\(in promise\) )?/, "");
}
