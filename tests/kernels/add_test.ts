import { assertThrows } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { testGpu } from "../gpu.ts";
import { add as oracle } from "../oracle/add.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (a: number[], b: number[]): OpCase => ({
  name: `add [${a}] [${b}]`,
  inputs: [randomNd(a, 1), randomNd(b, 2)],
  op: ([a, b]) => add(a!, b!),
  oracle: ([a, b]) => oracle(a!, b!),
});

Deno.test("add", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([n], [n]));
    await checkOp(of([3, n], [n]));
    await checkOp(of([n, 2, 3], [2, 3]));
  }
  await checkOp(of([2, 3], []));
});

Deno.test("add, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([70, 600], [70, 600]), gpu });
  await checkOp({ ...of([600, 65], [65]), gpu });
  await checkOp({ ...of([600, 68], [68]), gpu });
});

Deno.test("add refuses shapes and types that do not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(
      () => add(gpu.zeros([3, 2]), gpu.zeros([3])),
      TypeError,
      "Cannot add as b's shape must be a suffix of a's: a is [3, 2], b is [3]",
    );
    assertThrows(() => add(gpu.zeros([2]), gpu.zeros([3, 2])), TypeError, "a is [2], b is [3, 2]");
    assertThrows(
      () => add(gpu.zeros([2]), gpu.zeros([2], "i32")),
      TypeError,
      "Cannot add as b must be f32: found i32",
    );
  });
});

Deno.test("add, a repeated row wider than a block of rows that a binding holds", async () => {
  const gpu = await narrowGpu();
  const columns = 1000; // 64 rows exceed 64 KiB
  await checkOp({
    name: "add, wide rows",
    inputs: [randomNd([20, columns], 1), randomNd([columns], 2)],
    op: ([a, b]) => add(a!, b!),
    oracle: ([a, b]) => oracle(a!, b!),
    gpu,
  });
});
