/**
 * The memory that `prune` and `train` estimate before they begin, and the peak of runs.
 *
 * @module
 */

import { makeRandomModel } from "../cli/random_model.ts";
import type { MemoryReport } from "../cli/resources.ts";
import { BASE } from "./compact_cases.ts";
import type { TitledTable } from "./record.ts";
import { ROOT } from "./step_modules.ts";

/** A run of a model: of wav2vec2-base with random weights, which is only estimated, or of the embedded model. */
export interface MemoryCase {
  readonly model: "base" | "embedded";
  /** Command and options other than model and folder. */
  readonly words: readonly string[];
}

const step = (seconds: number, ...options: string[]): MemoryCase => ({
  model: "base",
  words: ["prune", "--batch-seconds", String(seconds), "--steps", "12", ...options],
});

/** All cases. */
export const MEMORY_CASES: readonly MemoryCase[] = [
  ...[4, 32].flatMap((seconds) => [
    step(seconds, "--distill", "0"),
    step(seconds, "--distill", "0", "--grad-checkpoint"),
    step(seconds),
  ]),
  { model: "embedded", words: ["train", "--steps", "20", "--limit", "200"] },
  { model: "embedded", words: ["prune", "--steps", "20", "--finetune-steps", "10", "--limit", "200"] },
];

/** Memory of a run. */
export interface MemoryCost {
  readonly model: string;
  readonly words: readonly string[];
  readonly estimate: MemoryReport;
  /** Peak of the run's resident memory in bytes, as Linux gives it; null if it was not run. */
  readonly peak: number | null;
}

/** Estimates cases, and runs those of the embedded model. @param progress Receives a message before each. */
export async function measureMemory(
  cases: readonly MemoryCase[],
  progress: (message: string) => void,
): Promise<MemoryCost[]> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-bench-" });
  const models = { base: `${folder}/base`, embedded: `${ROOT}/assets/commands-tiny` };
  try {
    await makeRandomModel({ config: BASE.pathname, out: models.base, seed: 0, head: "ctc" });
    const costs: MemoryCost[] = [];
    for (const [i, { model, words }] of cases.entries()) {
      progress(`${model}: ${words.join(" ")}`);
      const all = [...words, "--model", models[model], "--out", `${folder}/${i}`];
      const { out } = await run([...all, "--dry-run", "--json"]);
      const peak = model === "embedded" ? (await run(all)).peak : null;
      costs.push({ model, words, estimate: JSON.parse(out) as MemoryReport, peak });
    }
    return costs;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a command and samples its peak of resident memory. */
async function run(args: readonly string[]): Promise<{ out: string; peak: number }> {
  const command = new Deno.Command(`${ROOT}/espalier`, {
    ...{ args: [...args], cwd: ROOT, stdout: "piped", stderr: "piped" },
  });
  const child = command.spawn();
  let peak = 0;
  const sample = setInterval(() => {
    const status = readStatus(child.pid);
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    peak = Math.max(peak, 1024 * Number(kilobytes ?? 0));
  }, 50);
  const { success, stdout, stderr } = await child.output();
  clearInterval(sample);
  const decoder = new TextDecoder();
  if (success) return { out: decoder.decode(stdout), peak };
  throw new Error(`${args.join(" ")} failed: ${decoder.decode(stderr).trim().slice(-500)}`);
}

function readStatus(pid: number): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/status`);
  } catch { // it has ended
    return "";
  }
}

/** The costs as a table. */
export function memoryTables(costs: readonly MemoryCost[]): TitledTable[] {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;
  return [{
    title: "Estimated memory of runs with the spoken commands, wav2vec2-base with random weights and the " +
      "embedded model, and the peak of resident memory",
    left: [0, 1],
    head: ["model", "command", "device", "host", "together", "measured"],
    rows: costs.map(({ model, words, estimate: { device_bytes, host_bytes }, peak }) => [
      ...[model, `\`${words.join(" ")}\``],
      ...[device_bytes, host_bytes, device_bytes + host_bytes].map(gigabytes),
      peak === null ? "" : gigabytes(peak),
    ]),
  }];
}
