import { assertEquals, assertThrows } from "@std/assert";
import { sum } from "../../kernels/sum.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { sum as oracle } from "../oracle/sum.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[]): OpCase => ({
  name: `sum [${shape}]`,
  inputs: [randomNd(shape, 1)],
  op: ([x]) => sum(x!),
  oracle: ([x]) => oracle(x!),
});

Deno.test("sum", async () => {
  for (const n of [1, 63, 64, 65, 257, 4097]) await checkOp(of([n]));
  await checkOp(of([2, 3, 5]));
  await checkOp(of([]));
});

Deno.test("sum of nothing is 0", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => sum(gpu.empty([0, 3])));
  assertEquals(await y.read(), new Float32Array(1));
  y.dispose();
});

Deno.test("sum, past 65,535 terms", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => sum(gpu.tensor(new Float32Array(2 ** 20 + 1).fill(1))));
  assertEquals(await y.read(), Float32Array.of(2 ** 20 + 1));
  y.dispose();
  await checkOp(of([70000]));
});

Deno.test("sum, more than a binding holds", async () => {
  await checkOp({ ...of([7, 10001]), gpu: await narrowGpu() });
});

Deno.test("sum refuses integers", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(() => sum(gpu.zeros([2], "i32")), TypeError, "Cannot sum as x must be f32: found i32");
  });
});
