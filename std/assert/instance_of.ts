import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./format.ts";

/** Any constructor. */
// deno-lint-ignore no-explicit-any -- a constructor's arguments are contravariant
export type AnyConstructor = new (...args: any[]) => any;

/** What a constructor makes. */
export type GetConstructorType<T extends AnyConstructor> = InstanceType<T>;

/** Fails unless `actual` is an instance of `expectedType`, and narrows its type. */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is GetConstructorType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected an instance of ${expectedType.name}, got ${describe(actual)}${suffix(msg)}`,
  );
}

function describe(value: unknown): string {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return `an instance of ${value.constructor?.name ?? "Object"}`;
}
