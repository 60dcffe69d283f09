import { philox, type RandomStream, streamParams } from "./philox.ts";

/**
 * A fast reader of a stream: element i is `uniformAt(i, stream)`, in a tenth of the time.
 *
 * @param stream The stream.
 * @returns A function that returns element `index` of the stream, uniform in [0, 1); the index is a whole number below 2^34.
 * @throws {RangeError} If seed or step is not a whole number below 2^32.
 *
 * @example
 * ```ts
 * import { uniformsOf } from "./uniforms.ts";
 *
 * const uniform = uniformsOf({ seed: 1, purpose: "speed", step: 0 });
 * uniform(12);
 * ```
 */
export function uniformsOf(stream: RandomStream): (index: number) => number {
  const { seed, purpose, step } = streamParams(stream);
  let last = -1;
  let words: readonly number[] = [];
  return (index) => {
    const block = Math.floor(index / 4);
    if (block !== last) words = philox([block, 0, step, 0], [seed, purpose]);
    last = block;
    return (words[index % 4]! >>> 8) * 2 ** -24;
  };
}
