import { NetworkError } from "./request.ts";

/**
 * Repeats work that fails with a {@linkcode NetworkError}, with growing pauses.
 *
 * @param delay Milliseconds before the first retry, doubled for each further one.
 * @param options.attempts Attempts before the error is final; default 3.
 * @param options.hasAdvanced Whether a failed attempt made progress, which resets the count.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  delay: number,
  { attempts = 3, hasAdvanced = () => Promise.resolve(false) }: {
    attempts?: number;
    hasAdvanced?: () => Promise<boolean>;
  } = {},
): Promise<T> {
  for (let failures = 0;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failures = await hasAdvanced() ? 1 : failures + 1;
      if (failures >= attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, delay * 2 ** (failures - 1)));
    }
  }
}
