import { assertEquals } from "@std/assert";
import { SequenceMap } from "../../tensor/sequence_map.ts";

Deno.test("a sequence map finds what was added, and nothing else", () => {
  const map = new SequenceMap<number>();
  const keys = Array.from({ length: 2000 }, (_, i) => [i % 7, -i, 2 ** 33 + i]);
  keys.forEach((key, i) => map.add(key, i));
  assertEquals(map.size, 2000);
  assertEquals(keys.map((key) => map.get(key)), keys.map((_, i) => i));
  assertEquals(map.get([]), undefined);
  assertEquals(map.get([0, 0]), undefined);
  assertEquals(map.get([0, 0, 2 ** 33 + 1]), undefined);
});

Deno.test("a sequence map copies its keys", () => {
  const map = new SequenceMap<number>();
  const key = [1, 2];
  map.add(key, 5);
  key[1] = 3;
  assertEquals([map.get([1, 2]), map.get(key)], [5, undefined]);
});

Deno.test("keys of one hash are kept apart, and one of them is removed", () => {
  const map = new SequenceMap<number>();
  const same = [[0], [2 ** 32], [2 ** 33]]; // equal in the 32 bits that are hashed
  same.forEach((key, i) => map.add(key, i));
  map.delete([2 ** 32]);
  map.delete([7]);
  assertEquals(same.map((key) => map.get(key)), [0, undefined, 2]);
  assertEquals(map.size, 2);
  map.clear();
  assertEquals([map.size, map.get([0])], [0, undefined]);
});
