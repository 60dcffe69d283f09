// The tests that the browser skips exist: a name that changes must change in both places.
import { assertEquals } from "@std/assert";
import { SKIPPED } from "./main.ts";

Deno.test("the tests that the browser skips exist", async () => {
  let text = "";
  for (const folder of ["kernels", "kernels/gemm"]) {
    const url = new URL(`../${folder}/`, import.meta.url);
    for await (const { name } of Deno.readDir(url)) {
      if (name.endsWith("_test.ts")) text += await Deno.readTextFile(new URL(name, url));
    }
  }
  const names = Object.keys(SKIPPED).filter((name) => !name.startsWith("…"));
  // Before a comma is the name; after it, the kernel that a loop inserts.
  assertEquals(names.filter((name) => !text.includes(name.replace(/, tile-32$/, ""))), []);
});
