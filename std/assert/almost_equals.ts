import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./format.ts";

/**
 * Fails unless `actual` is within `tolerance` of `expected`; without one, within a ten-millionth of
 * `expected`.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected) * 1e-7 : 1e-7);
  const delta = Math.abs(expected - actual);
  if (delta <= allowed) return;
  throw new AssertionError(
    `${actual} is not close to ${expected}, they differ by ${delta} where ${allowed} is allowed` +
      suffix(msg),
  );
}
