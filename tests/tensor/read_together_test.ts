import { assertEquals, assertRejects } from "@std/assert";
import { readTogether, TOGETHER } from "../../tensor/read_together.ts";

Deno.test("items are read in order, in batches of bounded size", async () => {
  const sizes = [1, TOGETHER / 2, TOGETHER / 2, 3 * TOGETHER, 5, 7];
  const begun: number[] = [];
  const read = (i: number) => {
    begun.push(i);
    return Promise.resolve(10 * i);
  };
  const seen: [number, number][] = [];
  for await (const found of readTogether(sizes.keys(), (i) => sizes[i]!, read)) {
    seen.push([found, begun.length]);
  }
  assertEquals(seen, [[0, 3], [10, 3], [20, 3], [30, 4], [40, 6], [50, 6]]);
  assertEquals(await Array.fromAsync(readTogether([], () => 1, read)), []);
});

Deno.test("an item that cannot be read ends the reading", async () => {
  const read = (i: number) => i < 2 ? Promise.resolve(i) : Promise.reject(new Error("lost"));
  await assertRejects(() => Array.fromAsync(readTogether([0, 1, 2], () => 1, read)), Error, "lost");
});
