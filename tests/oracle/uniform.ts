// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011. Checked against the known answers of the Random123 library in uniform_test.ts.

/** Four pseudo-random uint32 words for a counter of four words and a key of two. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, a);
    const [high1, low1] = multiply(0xcd9e8d57, c);
    [a, b, c, d] = [
      (high1 ^ b ^ k0) >>> 0,
      low1,
      (high0 ^ d ^ k1) >>> 0,
      low0,
    ];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return Uint32Array.of(a, b, c, d);
}

/** The words as random numbers, uniform in [0, 1): the upper 24 bits, so each is exact in float32. */
export function uniforms(words: Uint32Array): Float64Array {
  return Float64Array.from(words, (word) => (word >>> 8) * 2 ** -24);
}

// High and low word of a·b, by 16-bit halves of b.
function multiply(a: number, b: number): [number, number] {
  const lower = a * (b & 0xffff);
  const upper = a * (b >>> 16) + Math.floor(lower / 65536);
  return [Math.floor(upper / 65536), Math.imul(a, b) >>> 0];
}
