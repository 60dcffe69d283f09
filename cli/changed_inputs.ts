import { changedInputs, changesText, type Fingerprints, type Input } from "../train/fingerprints.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** How a command treats inputs that have changed since a run began. */
export interface ChangePolicy {
  /** Inputs that the user accepts as they are now. */
  readonly accepted: readonly Input[];
  /** Inputs that may change in a run of this command. */
  readonly changeable: readonly Input[];
  /** What accepting them does: `the stages … run again`. */
  readonly effect: (changed: readonly Input[]) => string;
}

/**
 * Compares what a resumed run rests on with what it rested on before. Accepted changes are printed as a note.
 *
 * @param out folder of the run
 * @param before fingerprints of the run
 * @param now fingerprints of now
 * @param policy which changes are accepted, and what follows from that
 * @returns what has changed
 * @throws {UserError} something has changed that was not accepted; one line
 */
export function compareInputs(
  out: string,
  before: Fingerprints,
  now: Fingerprints,
  { accepted, changeable, effect }: ChangePolicy,
): Input[] {
  const changed = changedInputs(before, now);
  if (changed.length === 0) return changed;
  const text = `${changesText(changed, before, now)} ${changed.length > 1 ? "have" : "has"} changed`;
  if (changed.every((input) => accepted.includes(input))) {
    note(`${text}: ${effect(changed)}`);
    return changed;
  }
  const way = changed.every((input) => changeable.includes(input))
    ? `with --accept-changes, ${effect(changed)}`
    : "begin a new run in another folder";
  throw new UserError(`Cannot resume ${out} as ${text} since it began: ${way}`);
}
