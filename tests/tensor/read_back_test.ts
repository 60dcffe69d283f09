import { assertEquals } from "@std/assert";
import { scale } from "../../kernels/scale.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { testGpu } from "../gpu.ts";

const gpu = await testGpu();

Deno.test("reads that follow each other bring what was computed last, of every size", async () => {
  for (const size of [1, 3, 64, 1000, 400_000]) { // the last is not kept for reads to come
    const found: number[] = [];
    using first = gpu.tensor(new Float32Array(size).fill(1));
    let x: Tensor = first.view();
    for (let i = 0; i < 12; i++) {
      const next = scale(x, 2);
      x.dispose();
      x = next;
      const numbers = await x.read();
      assertEquals(numbers.length, size);
      found.push(numbers[0]!, numbers.at(-1)!);
    }
    x.dispose();
    assertEquals(found, Array.from({ length: 24 }, (_, i) => 2 ** (1 + Math.floor(i / 2))));
  }
});

Deno.test("what was read stays as it is while the next is read", async () => {
  const kept: Float32Array[] = [];
  for (let i = 0; i < 8; i++) {
    using x = gpu.tensor([i, -i]);
    kept.push(await x.read() as Float32Array);
  }
  await new Promise((resolve) => setTimeout(resolve, 30));
  assertEquals(kept.map(([a]) => a), [0, 1, 2, 3, 4, 5, 6, 7]);
});

Deno.test("waits and reads go together", async () => {
  using x = gpu.tensor([1, 2]);
  using y = scale(x, 3);
  const [, numbers] = await Promise.all([gpu.sync(), y.read(), gpu.sync()]);
  assertEquals(numbers, Float32Array.of(3, 6));
});

Deno.test("a device may go as soon as it was read", async () => {
  const other = await requestGpu();
  for (let i = 0; i < 3; i++) {
    using x = other.tensor([i]);
    assertEquals(await x.read(), Float32Array.of(i));
  }
  other.destroy();
  await new Promise((resolve) => setTimeout(resolve, 30));
});
