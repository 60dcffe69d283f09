import { AssertionError } from "./assertion_error.ts";
import { equal } from "./equal.ts";
import { format, suffix } from "./format.ts";

/** Fails unless the two values are equal in depth. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}${firstDifference(actual, expected)}\n` +
      `    actual: ${format(actual)}\n  expected: ${format(expected)}`,
  );
}

/** Where two lists part, which a cut print-out of a long tensor would not show. */
function firstDifference(actual: unknown, expected: unknown): string {
  if (!isList(actual) || !isList(expected)) return "";
  if (actual.length !== expected.length) {
    return `\n  lengths differ: ${actual.length} and ${expected.length}`;
  }
  for (let i = 0; i < actual.length; i++) {
    if (equal(actual[i], expected[i])) continue;
    return `\n  first difference at [${i}]: ${format(actual[i])} and ${format(expected[i])}`;
  }
  return "";
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}
