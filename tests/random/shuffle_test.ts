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
