// What runs must agree in.
import { assert, assertEquals } from "@std/assert";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { readMetrics } from "../../train/metrics.ts";
import { loadRunState } from "../../train/run_state.ts";

/** Values that must agree: losses, and tensors by name. */
export interface Outcome {
  readonly losses: readonly number[];
  readonly tensors: ReadonlyMap<string, ArrayLike<number>>;
}

export async function outcomeOf(folder: string, phase = ""): Promise<Outcome> {
  const metrics = await readMetrics(`${folder}${phase}/metrics.jsonl`);
  const losses = metrics.flatMap(({ loss }) => typeof loss === "number" ? [loss] : []);
  const state = await loadRunState(`${folder}${phase}/state`);
  const { tensors } = state ?? await readCheckpoint(folder);
  return { losses, tensors: new Map([...tensors].map(([name, { data }]) => [name, data])) };
}

/** Checks that values agree to 1e-6 of the largest. */
export function assertAgree(found: Outcome, expected: Outcome): void {
  assertEquals(found.losses.length, expected.losses.length);
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let [most, largest] = [0, 0];
    for (let i = 0; i < b.length; i++) {
      most = Math.max(most, Math.abs(a[i]! - b[i]!));
      largest = Math.max(largest, Math.abs(b[i]!));
    }
    return most / (largest || 1);
  };
  assert(apart(found.losses, expected.losses) <= 1e-6, `losses differ: ${found.losses}; ${expected.losses}`);
  for (const [name, values] of expected.tensors) {
    // The bias of keys shifts all scores of a query alike: its gradient is 0 but for rounding, which Adam scales up.
    if (/exp_avg|k_proj\.bias/.test(name)) continue;
    const error = apart(found.tensors.get(name)!, values);
    assert(error <= 1e-6, `${name} differs by ${error}`);
  }
}
