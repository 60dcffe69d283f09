import { AssertionError } from "./assertion_error.ts";
import { format } from "./format.ts";

/** Fails unless `actual` is greater than `expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw new AssertionError(msg ?? `Expected ${format(actual)} > ${format(expected)}`);
}
