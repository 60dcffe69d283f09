/**
 * Compares the results of two libraries, so that no wrong result is measured.
 *
 * @module
 */

/** Maximum accepted relative difference between two libraries. */
export const TOLERANCE = 1e-3;

/** Maximum relative difference; the denominator is at least 1e-3 of the largest value, since sums cancel. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  const floor = 1e-3 * [...a, ...b].reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  if (a.length !== b.length) return Infinity;
  const differences = [...a].map((x, i) => {
    const y = b[i]!;
    if (x === y) return 0;
    const difference = Math.abs(x - y) / Math.max(Math.abs(x), Math.abs(y), floor);
    // NaN must not pass.
    return Number.isNaN(difference) ? Infinity : difference;
  });
  return Math.max(0, ...differences);
}
