import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  accuracy,
  characterEdits,
  editCounts,
  errorRate,
  wordEdits,
} from "../../../model/inference/error_rate.ts";
import { philox } from "../../oracle/uniform.ts";

Deno.test("word edits are counted by kind", () => {
  const cases: [string, string, number, number, number, number][] = [
    ["turn on the light", "turn on the light", 0, 0, 0, 4],
    ["turn on the light", "turn of the light", 1, 0, 0, 4],
    ["turn on the light", "turn the light", 0, 0, 1, 4],
    ["turn on the light", "please turn on on the light", 0, 2, 0, 4],
    ["turn on the light", "", 0, 0, 4, 4],
    ["", "turn on", 0, 2, 0, 0],
    ["", "", 0, 0, 0, 0],
    ["a b c d", "x b d", 1, 0, 1, 4],
    ["  a\tb\n", " a  b ", 0, 0, 0, 2],
  ];
  for (const [from, to, substitutions, insertions, deletions, reference] of cases) {
    assertEquals(wordEdits(from, to), { substitutions, insertions, deletions, reference }, `${from} → ${to}`);
  }
});

Deno.test("character edits are by code points, with one space between words", () => {
  assertEquals(characterEdits("ab  cd", "ab cd"), {
    substitutions: 0,
    insertions: 0,
    deletions: 0,
    reference: 5,
  });
  assertEquals(characterEdits("abcd", "ab cd"), {
    substitutions: 0,
    insertions: 1,
    deletions: 0,
    reference: 4,
  });
  assertEquals(characterEdits("😀b", "😃b"), { substitutions: 1, insertions: 0, deletions: 0, reference: 2 });
});

// Edit distance by exhaustive recursion.
function distance(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return a.length + b.length;
  const [restA, restB] = [a.slice(1), b.slice(1)];
  if (a[0] === b[0]) return distance(restA, restB);
  return 1 + Math.min(distance(restA, restB), distance(restA, b), distance(a, restB));
}

Deno.test("edit counts add up to the shortest distance", () => {
  for (let seed = 0; seed < 200; seed++) {
    const words = (key: number) => {
      const [length] = philox([seed, 0, 0, 0], [key, 1]);
      return Array.from({ length: length! % 7 }, (_, i) => "abc"[philox([seed, i, 1, 0], [key, 1])[0]! % 3]!);
    };
    const [a, b] = [words(1), words(2)];
    const { substitutions, insertions, deletions } = editCounts(a, b);
    assertEquals(substitutions + insertions + deletions, distance(a, b), `${a} → ${b}`);
    assertEquals(a.length - deletions + insertions, b.length);
    assert(Math.min(substitutions, insertions, deletions) >= 0);
  }
});

Deno.test("an error rate is edits over length, with counts", () => {
  const counts = [wordEdits("a b c d", "a x c"), wordEdits("e", "e f")];
  const { value, substitutions, insertions, deletions, reference, utterances } = errorRate(counts);
  assertEquals(value, 3 / 5);
  assertEquals([substitutions, insertions, deletions, reference, utterances], [1, 1, 1, 5, 2]);
});

Deno.test("the interval is that of the binomial distribution if utterances are single words", () => {
  // 400 words of which 80 are wrong: 0.2 ± 1.96 √(0.2 · 0.8 / 400).
  const counts = Array.from({ length: 400 }, (_, i) => wordEdits("a", i % 5 === 0 ? "b" : "a"));
  const { value, low, high } = errorRate(counts, { resamples: 4000 });
  const half = 1.96 * Math.sqrt(0.2 * 0.8 / 400);
  assertEquals(value, 0.2);
  assert(Math.abs(low - (0.2 - half)) < 0.004 && Math.abs(high - (0.2 + half)) < 0.004, `${low} to ${high}`);
  const hits = counts.map(({ substitutions }) => substitutions === 0);
  const share = accuracy(hits, { resamples: 4000 });
  assertEquals(share.value, 0.8);
  // The same sets are drawn for the same number of utterances.
  assert(Math.abs(share.low - (1 - high)) < 1e-9 && Math.abs(share.high - (1 - low)) < 1e-9);
});

Deno.test("utterances that vary more have a wider interval", () => {
  const even = Array.from({ length: 100 }, () => wordEdits("a b c d", "a b c x"));
  const uneven = Array.from(
    { length: 100 },
    (_, i) => wordEdits("a b c d", i % 4 === 0 ? "w x y z" : "a b c d"),
  );
  assertEquals(errorRate(even), { ...errorRate(even), value: 0.25, low: 0.25, high: 0.25 });
  const { low, high } = errorRate(uneven);
  assert(low < 0.19 && high > 0.31, `${low} to ${high}`);
});

Deno.test("the interval depends on the seed alone", () => {
  const hits = Array.from({ length: 3700 }, (_, i) => i % 3 === 0);
  assertEquals(accuracy(hits), accuracy(hits));
  assertEquals(accuracy(hits, { seed: 5 }), accuracy(hits, { seed: 5 }));
  assert(accuracy(hits, { resamples: 99 }).low !== accuracy(hits, { resamples: 99, seed: 5 }).low);
});

Deno.test("a rate needs a reference that is not empty", () => {
  const message = "Cannot compute a rate as the references must not be empty: found ";
  assertThrows(() => errorRate([]), RangeError, message + "0 utterances of length 0");
  assertThrows(() => errorRate([wordEdits("", "a")]), RangeError, message + "1 utterances of length 0");
  assertThrows(() => accuracy([]), RangeError, message);
  const { value, high } = errorRate([wordEdits("", "a"), wordEdits("b", "b")]);
  assertEquals(value, 1);
  assert(Number.isFinite(high));
});
