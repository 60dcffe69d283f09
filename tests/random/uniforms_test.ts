import { assertEquals } from "@std/assert";
import { uniformAt } from "../../random/philox.ts";
import { uniformsOf } from "../../random/uniforms.ts";

Deno.test("uniformsOf returns the bits of uniformAt, in any order of indices", () => {
  const stream = { seed: 9, purpose: "test", step: 2 };
  const uniform = uniformsOf(stream);
  for (const index of [0, 1, 2, 3, 4, 9, 8, 8, 4 * 2 ** 20 + 1, 2 ** 34 - 1]) {
    assertEquals(uniform(index), uniformAt(index, stream), `element ${index}`);
  }
});
