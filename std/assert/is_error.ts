import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./format.ts";

/** Fails unless `error` is an error of the class, if given, with the words, if given. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  // deno-lint-ignore no-explicit-any -- a constructor's arguments are contravariant
  ErrorClass?: abstract new (...args: any[]) => E,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    throw new AssertionError(`Expected an Error, got ${typeof error}${suffix(msg)}`);
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected a ${ErrorClass.name}, got a ${error.constructor.name} saying ` +
        `${JSON.stringify(error.message)}${suffix(msg)}`,
    );
  }
  if (msgMatches === undefined || matches(error.message, msgMatches)) return;
  throw new AssertionError(
    `Expected the error to say ${msgMatches}, it says ${JSON.stringify(error.message)}` +
      suffix(msg),
  );
}

function matches(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
}
