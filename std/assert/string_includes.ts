import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./format.ts";

/** Fails unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected ${JSON.stringify(actual)} to contain ${JSON.stringify(expected)}${suffix(msg)}`,
  );
}
