import type { RandomStream } from "./philox.ts";
import { uniformsOf } from "./uniforms.ts";

/**
 * A seeded Fisher–Yates shuffle (Durstenfeld 1964).
 *
 * @param items Items; the array is not changed.
 * @param stream Determines the order.
 * @returns The items in random order.
 * @throws {RangeError} If seed or step is not a whole number below 2^32.
 *
 * @example
 * ```ts
 * import { shuffle } from "./shuffle.ts";
 *
 * shuffle(["a", "b", "c"], { seed: 1, purpose: "order", step: 0 });
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
