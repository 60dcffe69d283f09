import { assertEquals } from "@std/assert";
import { uniformAt } from "../../random/philox.ts";
import { uniformsOf } from "../../random/uniforms.ts";

Deno.test("uniformsOf returns the bits of uniformAt, in any order of indices", () => {
  const stream = { seed: 7, purpose: "order", step: 3 };
  const uniform = uniformsOf(stream);
  for (const index of [0, 1, 2, 3, 4, 9, 8, 3, 1001, 2 ** 34 - 1]) {
    assertEquals(uniform(index), uniformAt(index, stream), `element ${index}`);
  }
});
