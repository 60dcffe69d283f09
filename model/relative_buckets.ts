/**
 * WavLM's bucket of every offset from query to key. One half of the buckets is for keys at or before the query, the other for
 * keys after it. In each half, small distances have one bucket each; larger ones share buckets whose width grows with the
 * logarithm of the distance; the last bucket takes all distances beyond (Raffel et al. 2020, arXiv 1910.10683). Rounds in
 * float32, as the published models do.
 *
 * @param frames Number of frames T.
 * @param numBuckets Number of buckets, `num_buckets` of the configuration: 320.
 * @param maxDistance Distances from this one on share one bucket, `max_bucket_distance`: 800.
 * @returns 2T − 1 bucket indices; that of offset s − t is at index s − t + T − 1.
 * @throws {RangeError} If there are no frames or fewer than four buckets, or if the largest distance is within those that
 * have one bucket each.
 * @example
 * ```ts
 * import { relativeBuckets } from "./relative_buckets.ts";
 *
 * relativeBuckets(3, 320, 800); // [2, 1, 0, 161, 162]
 * ```
 */
export function relativeBuckets(frames: number, numBuckets: number, maxDistance: number): number[] {
  const half = Math.floor(numBuckets / 2);
  const singles = Math.floor(half / 2);
  const refuse = (rule: string, found: number) => {
    throw new RangeError(`Cannot compute position buckets as ${rule}: found ${found}`);
  };
  if (!Number.isInteger(frames) || frames < 1) {
    refuse("there must be a whole number of frames from 1", frames);
  }
  if (!Number.isInteger(numBuckets) || numBuckets < 4) {
    refuse("there must be a whole number of buckets from 4", numBuckets);
  }
  if (!(maxDistance > singles)) refuse(`the largest distance must exceed ${singles}`, maxDistance);

  const float = Math.fround;
  const logRange = float(Math.log(maxDistance / singles));
  const bucketOf = (distance: number) => {
    if (distance < singles) return distance;
    const fraction = float(float(Math.log(float(distance / singles))) / logRange);
    return Math.min(half - 1, Math.trunc(float(singles + float(fraction * (half - singles)))));
  };
  return Array.from({ length: 2 * frames - 1 }, (_, i) => {
    const offset = i - (frames - 1);
    return (offset > 0 ? half : 0) + bucketOf(Math.abs(offset));
  });
}
