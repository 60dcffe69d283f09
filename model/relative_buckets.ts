/**
 * Bucket of every offset from a query to a key, as WavLM numbers them: half of the buckets for keys behind the query
 * or at it, half for keys ahead; in each half one bucket per distance at first, then buckets that widen with the
 * logarithm of the distance up to the last one, which takes all that is farther (Raffel et al. 2020,
 * arXiv 1910.10683). The rounding is that of float32, as in the published models.
 *
 * @param frames Number T of frames.
 * @param numBuckets Number of buckets, `num_buckets` of the configuration: 320.
 * @param maxDistance Distance from which on there is one bucket, `max_bucket_distance`: 800.
 * @returns 2T − 1 numbers of buckets: that of offset s − t stands at s − t + T − 1.
 * @throws {RangeError} If there is no frame, fewer than four buckets, or the distances with a bucket of their own
 * reach the largest one.
 * @example
 * ```ts
 * import { relativeBuckets } from "./relative_buckets.ts";
 *
 * relativeBuckets(3, 320, 800); // [2, 1, 0, 161, 162]
 * ```
 */
export function relativeBuckets(frames: number, numBuckets: number, maxDistance: number): number[] {
  const half = Math.floor(numBuckets / 2);
  const exact = Math.floor(half / 2);
  const refuse = (rule: string, found: number) => {
    throw new RangeError(`Cannot number position buckets as ${rule}: found ${found}`);
  };
  if (!Number.isInteger(frames) || frames < 1) {
    refuse("there must be a whole number of frames from 1", frames);
  }
  if (!Number.isInteger(numBuckets) || numBuckets < 4) {
    refuse("there must be a whole number of buckets from 4", numBuckets);
  }
  if (!(maxDistance > exact)) refuse(`the largest distance must exceed ${exact}`, maxDistance);

  const float = Math.fround;
  const whole = float(Math.log(maxDistance / exact));
  const bucketOf = (distance: number) => {
    if (distance < exact) return distance;
    const share = float(float(Math.log(float(distance / exact))) / whole);
    return Math.min(half - 1, Math.trunc(float(exact + float(share * (half - exact)))));
  };
  return Array.from({ length: 2 * frames - 1 }, (_, i) => {
    const offset = i - (frames - 1);
    return (offset > 0 ? half : 0) + bucketOf(Math.abs(offset));
  });
}
