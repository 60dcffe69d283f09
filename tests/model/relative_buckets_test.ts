import { assertEquals, assertThrows } from "@std/assert";
import { relativeBuckets } from "../../model/relative_buckets.ts";

// WavLM has 160 buckets per side. The first 80 hold one distance each; bucket 80 + i begins where
// 80·log(n/80)/log(800/80) ≥ i, which is n⁸⁰ ≥ 80⁸⁰·10ⁱ in whole numbers.
function published(distance: number): number {
  if (distance < 80) return distance;
  let bucket = 80;
  while (bucket < 159 && BigInt(distance) ** 80n >= 80n ** 80n * 10n ** BigInt(bucket - 79)) bucket++;
  return bucket;
}

Deno.test("relativeBuckets agrees with whole-number arithmetic at WavLM's sizes", () => {
  const frames = 1100;
  const expected = Array.from({ length: 2 * frames - 1 }, (_, i) => {
    const offset = i - (frames - 1);
    return offset > 0 ? 160 + published(offset) : published(-offset);
  });
  assertEquals(relativeBuckets(frames, 320, 800), expected);
});

Deno.test("relativeBuckets at a size that can be checked by hand", () => {
  // Four buckets per side: distances 0, 1, 2 to 6 (up to 2·√10 = 6.3), and 7 and more.
  const behind = [3, 3, 3, 3, 2, 2, 2, 2, 2, 1];
  const ahead = [5, 6, 6, 6, 6, 6, 7, 7, 7, 7];
  assertEquals(relativeBuckets(11, 8, 20), [...behind, 0, ...ahead]);
  assertEquals(relativeBuckets(1, 8, 20), [0]);
});

Deno.test("relativeBuckets refuses invalid sizes", () => {
  assertThrows(
    () => relativeBuckets(0, 320, 800),
    RangeError,
    "Cannot compute position buckets as there must be a whole number of frames from 1: found 0",
  );
  assertThrows(
    () => relativeBuckets(5, 3, 800),
    RangeError,
    "Cannot compute position buckets as there must be a whole number of buckets from 4: found 3",
  );
  assertThrows(
    () => relativeBuckets(5, 320, 80),
    RangeError,
    "Cannot compute position buckets as the largest distance must exceed 80: found 80",
  );
});
