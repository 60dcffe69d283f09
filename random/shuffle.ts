import type { RandomStream } from "../random/philox.ts";
import { uniformsOf } from "./uniforms.ts";

/**
 * A seeded shuffle (Fisher and Yates, as in Durstenfeld 1964).
 *
 * @param items What to shuffle; it is left as it is.
 * @param stream Names the order: equal names give equal orders.
 * @returns The items in another order.
 * @throws {RangeError} If seed or step is no whole number below 2^32.
 *
 * @example
 * ```ts
 * import { shuffle } from "./shuffle.ts";
 *
 * shuffle(["a", "b", "c"], { seed: 1, purpose: "order of clips", step: 0 });
 * ```
 */
export function shuffle<T>(items: readonly T[], stream: RandomStream): T[] {
  const out = [...items];
  const uniform = uniformsOf(stream);
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(uniform(i) * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
