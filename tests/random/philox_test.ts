import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { philox, streamParams, uniformAt } from "../../random/philox.ts";
import { philox as oracle, uniforms } from "../oracle/uniform.ts";

const stream = { seed: 0xdeadbeef, purpose: "dropout", step: 12345 };

Deno.test("philox returns the words of the oracle", () => {
  const largest = 2 ** 32 - 1;
  for (const word of [0, 1, 0x9e3779b9, largest]) {
    for (const key of [[0, 0], [largest, 7], [word, largest]] as const) {
      const counter = [word, largest - word, 3, 0] as const;
      assertEquals(philox(counter, key), [...oracle(counter, key)] as [number, number, number, number]);
    }
  }
});

Deno.test("the purpose is hashed with FNV-1a", () => {
  // Known answers of the reference code.
  for (const [purpose, expected] of [["", 0x811c9dc5], ["a", 0xe40c292c], ["foobar", 0xbf9cf968]] as const) {
    assertEquals(streamParams({ seed: 0, purpose, step: 0 }).purpose, expected);
  }
});

Deno.test("the elements of a stream are uniform in [0, 1), and streams are independent", () => {
  const of = (changes: Partial<typeof stream>) =>
    Array.from({ length: 4000 }, (_, i) => uniformAt(i, { ...stream, ...changes }));
  const values = of({});
  assert(values.every((u) => u >= 0 && u < 1 && Math.fround(u) === u));
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((sum, u) => sum + (u - mean) ** 2, 0) / values.length;
  assertAlmostEquals(mean, 1 / 2, 0.02);
  assertAlmostEquals(variance, 1 / 12, 0.005);
  for (const changes of [{ seed: 1 }, { purpose: "gates" }, { step: 1 }]) {
    const others = of(changes);
    const together = values.reduce((sum, u, i) => sum + (u - mean) * (others[i]! - 1 / 2), 0) / 4000;
    assertAlmostEquals(together, 0, 0.005);
  }
  // Beyond 2^32 blocks the second word of the counter increases.
  const beyond = uniforms(oracle([5, 1, 12345, 0], [stream.seed, streamParams(stream).purpose]))[2]!;
  assertEquals(uniformAt(4 * (2 ** 32 + 5) + 2, stream), beyond);
});

Deno.test("streams out of range are refused", () => {
  for (const changes of [{ seed: -1 }, { seed: 1.5 }, { step: 2 ** 32 }, { step: NaN }]) {
    assertThrows(() => uniformAt(0, { ...stream, ...changes }), RangeError, "whole number below 2^32");
  }
  assertThrows(() => uniformAt(-1, stream), RangeError, "index must be a whole number: found -1");
});
