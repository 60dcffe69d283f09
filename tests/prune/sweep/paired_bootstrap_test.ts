import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { pairedBootstrap } from "../../../prune/sweep/paired_bootstrap.ts";

/** Differences of all nⁿ sets of n utterances, each as probable as the others. */
function allSets(gains: readonly number[], lengths: readonly number[]): number[] {
  const n = gains.length;
  return Array.from({ length: n ** n }, (_, code) => {
    const set = Array.from({ length: n }, (_, place) => Math.floor(code / n ** place) % n);
    const sum = (values: readonly number[]) => set.reduce((total, i) => total + values[i]!, 0);
    return sum(gains) / sum(lengths);
  }).sort((a, b) => a - b);
}

Deno.test("intervals and p of the paired bootstrap are those of all sets that can be drawn", () => {
  const lengths = [3, 5, 2, 7, 4];
  const others = [1, 0, 2, 1, 0];
  for (const errors of [[0, 1, 1, 0, 0], [2, 0, 2, 3, 1], [1, 0, 2, 1, 0], [1 / 3, 2 / 3, 1, 0.5, 0]]) {
    const gains = errors.map((error, i) => error - others[i]!);
    const exact = allSets(gains, lengths);
    const share = (test: (one: number) => boolean) => exact.filter(test).length / exact.length;
    const p = Math.min(1, 2 * Math.min(share((one) => one <= 0), share((one) => one >= 0)));
    const [found] = pairedBootstrap([{ errors, others }], lengths, { resamples: 40_000 });
    assertAlmostEquals(found!.value, gains.reduce((sum, gain) => sum + gain) / 21, 1e-12);
    assertAlmostEquals(found!.p, p, 0.012); // three standard errors of 2p at 40,000 sets
    for (const [bound, place] of [[found!.low, 0.025], [found!.high, 0.975]] as const) {
      // The percentile lies between those of shares that differ by five standard errors.
      const [below, above] = [place - 0.004, place + 0.004].map((at) =>
        exact[Math.floor(at * exact.length)]!
      );
      assert(bound >= below! - 1e-12 && bound <= above! + 1e-12, `${bound} of ${below} to ${above}`);
    }
  }
});

Deno.test("equal systems differ with p 1, systems that differ in every utterance with the smallest p", () => {
  const lengths = Array.from({ length: 50 }, () => 4);
  const some = lengths.map((_, i) => i % 3);
  const more = some.map((error) => error + 1);
  const [same, worse, better] = pairedBootstrap(
    [[some, some], [more, some], [some, more]].map(([errors, others]) => ({
      errors: errors!,
      others: others!,
    })),
    lengths,
    { resamples: 999 },
  );
  assertEquals(same, { value: 0, low: 0, high: 0, p: 1 });
  assertEquals(worse, { value: 0.25, low: 0.25, high: 0.25, p: 2 / 1000 });
  assertEquals(better, { value: -0.25, low: -0.25, high: -0.25, p: 2 / 1000 });
});

Deno.test("a seed gives the same sets for every pair, and in every call", () => {
  const lengths = [3, 5, 2, 7, 4, 1];
  const pair = { errors: [0, 1, 1, 0, 0, 1], others: [1, 0, 2, 1, 0, 0] };
  const [first, second] = pairedBootstrap([pair, pair], lengths);
  assertEquals(first, second);
  assertEquals(pairedBootstrap([pair], lengths), [first!]);
  assert(pairedBootstrap([pair], lengths, { seed: 1 })[0]!.p !== first!.p);
});

Deno.test("under the null hypothesis p is below 0.05 about as often", () => {
  let state = 1;
  const random = () => (state = state * 48271 % 2147483647) / 2147483647;
  const lengths = Array.from({ length: 60 }, () => 3);
  const pairs = Array.from({ length: 400 }, () => {
    const [errors, others] = [1, 2].map(() => lengths.map(() => Math.floor(3 * random())));
    return { errors: errors!, others: others! };
  });
  const low = pairedBootstrap(pairs, lengths, { resamples: 1000 }).filter(({ p }) => p < 0.05).length;
  assert(low >= 8 && low <= 36, `${low} of 400`); // 20 expected, and four standard deviations
});

Deno.test("systems of different utterances and empty references are refused", () => {
  const pair = { errors: [1, 0], others: [1] };
  assertThrows(() => pairedBootstrap([pair], [2, 2]), RangeError, "utterances must be the same: 1 and 2");
  assertThrows(() => pairedBootstrap([], [0, 0]), RangeError, "all are empty");
});
