// A training that resumes after what it rests on has changed.
import { type RunInfo, runInfoOf } from "./session.ts";
import type { FoundState } from "./run_state.ts";
import type { Fingerprints, Input } from "./fingerprints.ts";

/** Inputs that may change within a training: its model is in the state, and is decoded with its vocabulary. */
export const CHANGEABLE: readonly Input[] = ["version", "train", "dev"];

/** Fingerprints that were saved with a state. */
export function savedInputs({ info }: FoundState): Fingerprints {
  return info["fingerprints"] as Fingerprints;
}

/**
 * The state of a training whose inputs have changed. With another training subset, it resumes at the start of an epoch;
 * with another dev subset, earlier evaluations do not count as the best.
 *
 * @param state The state; it is not changed.
 * @param changed What has changed.
 */
export function withChangedInputs(state: FoundState, changed: readonly Input[]): FoundState {
  let run: RunInfo = runInfoOf(state);
  if (changed.includes("train")) run = { ...run, position: { epoch: run.position.epoch + 1, batch: 0 } };
  if (changed.includes("dev")) run = { ...run, best: null, stale: 0 };
  return { ...state, info: { ...state.info, run } };
}
