import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./format.ts";
import { assertIsError } from "./is_error.ts";

// deno-lint-ignore no-explicit-any -- a constructor's arguments are contravariant
type ErrorConstructor<E> = new (...args: any[]) => E;

/** Fails unless `fn` throws; returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Fails unless `fn` throws an error of the class, whose message contains `msgIncludes`. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMsg?: ErrorConstructor<E> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const said = typeof classOrMsg === "string" ? classOrMsg : msg;
  try {
    fn();
  } catch (error) {
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, said);
    return error;
  }
  throw new AssertionError(`Expected the function to throw${suffix(said)}`);
}
