import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./format.ts";
import { assertIsError } from "./is_error.ts";

// deno-lint-ignore no-explicit-any -- a constructor's arguments are contravariant
type ErrorConstructor<E> = new (...args: any[]) => E;

/** Fails unless the promise `fn` returns rejects; resolves to what it rejected with. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/** Fails unless it rejects with an error of the class, whose message contains `msgIncludes`. */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorConstructor<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorConstructor<E> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const said = typeof classOrMsg === "string" ? classOrMsg : msg;
  const promise = started(fn, said);
  try {
    await promise;
  } catch (error) {
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, said);
    return error;
  }
  throw new AssertionError(`Expected the promise to reject${suffix(said)}`);
}

/** The promise of `fn`: throwing before there is one is another failure than rejecting. */
function started(fn: () => PromiseLike<unknown>, said: string | undefined): PromiseLike<unknown> {
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(`Expected a rejection, the function threw${suffix(said)}`, { cause });
  }
  if (typeof promise?.then === "function") return promise;
  throw new AssertionError(`Expected a rejection, the function returned no promise${suffix(said)}`);
}
