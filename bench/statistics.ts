/**
 * Statistics of samples.
 *
 * @module
 */

/** The median: the mean of the two middle values if their number is even. @throws {RangeError} If there are no values. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("Cannot take a median as there must be a value: found none");
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The geometric mean, in which ratios of 2 and 1/2 average to 1. @throws {RangeError} If a value is not above 0. */
export function geometricMean(values: readonly number[]): number {
  const wrong = values.find((value) => !(value > 0));
  if (values.length === 0 || wrong !== undefined) {
    throw new RangeError(
      `Cannot take a geometric mean as values must be above 0: found ${values.length === 0 ? "none" : wrong}`,
    );
  }
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Three significant digits, without an exponent: `0.0123`, `1.23`, `1234`. */
export function digits(value: number): string {
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(places, 20));
}
