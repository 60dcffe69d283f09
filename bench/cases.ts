/**
 * Which cases of the benchmark a user asks for.
 *
 * @module
 */

import { UserError } from "../cli/user_error.ts";
import { flopsByCase } from "./flops.ts";

/** The cases whose name contains a text, or that have it as their name. @throws {UserError} There is none. */
export function namesOf(only: string): string[] {
  const all = [...flopsByCase().keys()];
  const names = all.includes(only) ? [only] : all.filter((name) => name.includes(only));
  if (names.length > 0) return names;
  throw unknownCase(only, all);
}

/** The error of an option that no case has in its name. */
export function unknownCase(only: string, names: readonly string[]): UserError {
  return new UserError(
    `Cannot run bench as --only must be part of a case's name: ${only} is not part of ${names.join(", ")}`,
  );
}
