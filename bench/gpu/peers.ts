/**
 * Part `peers`: `deno task bench` beside jax-js and tfjs.
 *
 * @module
 */

import { ROOT } from "../step_modules.ts";
import { type Report, summaryOf, tableOf } from "../report.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";

/** Rounds, which a GPU's time does not allow more of. */
const ROUNDS = 3;

/** Runs the bench. @throws {Error} The libraries disagree, or a case failed. */
export async function measure(
  { quick }: PartRequest,
  save: (report: Report) => Promise<void>,
): Promise<Report> {
  const options = quick ? ["--only", "softmax", "--rounds", "1"] : ["--rounds", String(ROUNDS)];
  const args = ["run", "-A", "--no-check", "--lock=dev.lock", "bench/main.ts", "--json", ...options];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  const errors = decoder.decode(stderr).trim();
  if (!text.trim()) throw new Error(`bench failed: ${errors.slice(-500)}`);
  const report = JSON.parse(text) as Report;
  await save(report);
  if (!success) throw new Error(errors.split("\n").at(-1));
  return report;
}

/** Name of the adapter. */
export const adapter = (report: Report): string => report.adapter;

/** The ratios to the peers in one line. */
export function summary({ rows, missing }: Report): string {
  const found = summaryOf(rows);
  const absent = Object.entries(missing).map(([name, reason]) => `${name} is missing: ${reason}`);
  const ratios = found
    ? `${found.mean.toFixed(2)} times as fast as the faster peer (geometric mean of ${found.count}), ` +
      `${found.least.toFixed(2)} at least (${found.of})`
    : "no peer was measured";
  return [ratios, ...absent].join("; ");
}

/** Times and ratios. */
export function tables(report: Report): TitledTable[] {
  const { rounds, libraries } = report;
  const versions = Object.entries(libraries).map((library) => library.join(" ")).join(", ");
  const title = `Medians of ${rounds} alternating rounds; ${versions}; ${summary(report)}`;
  return [{ title, ...tableOf(report) }];
}
