/** Identifies a sequence of random numbers. Equal streams give equal bits, on the host and on every device. */
export interface RandomStream {
  /** Seed of the run, a whole number below 2^32. */
  readonly seed: number;
  /** Purpose, such as "dropout encoder.layers.3"; different purposes give independent random numbers. */
  readonly purpose: string;
  /** Training step, a whole number below 2^32. */
  readonly step: number;
}

/** Hash of a purpose: 32-bit FNV-1a of its UTF-8 bytes (Fowler, Noll, Vo; RFC 9923). */
function hash(purpose: string): number {
  let value = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(purpose)) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/**
 * The fields of `Params` with which a shader draws a stream, by `uniforms(block, params.step, vec2u(params.seed,
 * params.purpose))` of `_philox.wgsl`.
 *
 * @throws {RangeError} If seed or step is not a whole number below 2^32.
 * @example
 * ```ts
 * import { streamParams } from "./philox.ts";
 *
 * console.log(streamParams({ seed: 1, purpose: "dropout", step: 7 })); // purpose: 658024080
 * ```
 */
export function streamParams(
  { seed, purpose, step }: RandomStream,
): { seed: number; purpose: number; step: number } {
  for (const [name, value] of Object.entries({ seed, step })) {
    if (!(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
      throw new RangeError(
        `Cannot draw random numbers as ${name} must be a whole number below 2^32: found ${value}`,
      );
    }
  }
  return { seed, purpose: hash(purpose), step };
}

/** High word of a·b. Both steps stay below 2^49, which is exact. */
function highOf(a: number, b: number): number {
  return Math.floor((a * (b >>> 16) + Math.floor(a * (b & 0xffff) / 65536)) / 65536);
}

/**
 * Philox4x32-10: four pseudo-random words for a counter of four words and a key of two (Salmon, Moraes, Dror and
 * Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * @param counter Four whole numbers below 2^32.
 * @param key Two whole numbers below 2^32.
 * @example
 * ```ts
 * import { philox } from "../mod.ts";
 *
 * console.log(philox([0, 0, 0, 0], [0, 0])[0].toString(16)); // 6627e8d5
 * ```
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const highA = highOf(0xd2511f53, a);
    const lowA = Math.imul(0xd2511f53, a) >>> 0;
    const highC = highOf(0xcd9e8d57, c);
    const lowC = Math.imul(0xcd9e8d57, c) >>> 0;
    [a, b, c, d] = [(highC ^ b ^ k0) >>> 0, lowC, (highA ^ d ^ k1) >>> 0, lowA];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/**
 * Element `index` of a stream, uniform in [0, 1): a multiple of 2^-24, so that it is exact in f32.
 *
 * @param index Index in the stream, a whole number below 2^53.
 * @throws {RangeError} If the index, seed or step is out of range.
 * @example
 * ```ts
 * import { uniformAt } from "../mod.ts";
 *
 * console.log(uniformAt(0, { seed: 1, purpose: "gates", step: 0 })); // 0.66595…
 * ```
 */
export function uniformAt(index: number, stream: RandomStream): number {
  if (!(Number.isSafeInteger(index) && index >= 0)) {
    throw new RangeError(`Cannot draw a random number as its index must be a whole number: found ${index}`);
  }
  const { seed, purpose, step } = streamParams(stream);
  const block = Math.floor(index / 4);
  const words = philox([block >>> 0, Math.floor(block / 2 ** 32), step, 0], [seed, purpose]);
  return (words[index % 4]! >>> 8) * 2 ** -24;
}
