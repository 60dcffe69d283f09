import { errorOf, pointOf } from "./groups.ts";
import { secondsOf, type SweepRecord, type SweepRun } from "./record.ts";

/**
 * The runs of a sweep as comma-separated values, a line each: for tables and statistics of another kind.
 *
 * @param record The sweep.
 */
export function sweepCsv({ runs }: SweepRecord): string {
  const options = [...new Set(runs.flatMap(({ options }) => Object.keys(options)))];
  const rows = runs.map((run) => ({ ...keyColumns(run, options), ...resultColumns(run) }));
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row: Readonly<Record<string, unknown>>) => names.map((name) => field(row[name])));
  return [names, ...lines].map((line) => line.join(",") + "\n").join("");
}

function keyColumns({ name, method, target, seed, options, state }: SweepRun, names: readonly string[]) {
  const varied = Object.fromEntries(names.map((name) => [name, options[name]]));
  return { name, method, target, seed, ...varied, state };
}

function resultColumns({ result, error }: SweepRun): Record<string, unknown> {
  if (!result) return { failure: error };
  const { models, adapter, date } = result;
  const last = models.at(-1)!;
  const { low, high } = last.wer ?? { low: 1 - last.accuracy!.high, high: 1 - last.accuracy!.low };
  const shares = pointOf(result);
  return {
    error: errorOf(last),
    error_low: low,
    error_high: high,
    ...last.cer && { cer: last.cer.value },
    parameters: last.parameters,
    macs_per_second: last.macs_per_second,
    seconds_per_second: last.seconds_per_second,
    parameters_share: shares.parameters,
    macs_share: shares.macs,
    time_share: shares.time,
    run_seconds: secondsOf(result),
    adapter,
    date,
    failure: error,
  };
}

/** RFC 4180. */
function field(value: unknown): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
