import { assertEquals, assertNotEquals } from "@std/assert";
import { shuffle } from "../../random/shuffle.ts";

Deno.test("shuffle returns the same permutation for the same stream, and leaves its input", () => {
  const items = Array.from({ length: 50 }, (_, i) => i);
  const stream = { seed: 1, purpose: "order", step: 0 };
  const order = shuffle(items, stream);
  assertEquals(order, shuffle(items, stream));
  assertEquals(order.toSorted((a, b) => a - b), items);
  assertNotEquals(order, items);
  assertNotEquals(order, shuffle(items, { ...stream, step: 1 }));
  assertEquals(items[0], 0);
  assertEquals(shuffle([], stream), []);
});

Deno.test("shuffle returns every order about equally often", () => {
  const counts = new Map<string, number>();
  for (let step = 0; step < 1200; step++) {
    const order = shuffle(["a", "b", "c"], { seed: 3, purpose: "test", step }).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const count of counts.values()) assertEquals(Math.abs(count - 200) < 60, true);
});
