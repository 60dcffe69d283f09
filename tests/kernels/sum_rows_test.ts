import { assertThrows } from "@std/assert";
import { sumRows } from "../../kernels/sum_rows.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { sumRows as oracle } from "../oracle/sum_rows.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (rows: number, columns: number): OpCase => ({
  name: `sum_rows ${rows}x${columns}`,
  inputs: [randomNd([rows, columns], 1)],
  op: ([x]) => sumRows(x!),
  oracle: ([x]) => oracle(x!),
});

Deno.test("sum_rows", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of(n, 3));
    await checkOp(of(2, n));
  }
  await checkOp(of(66000, 1));
});

Deno.test("sum_rows, more than a binding holds", async () => {
  await checkOp({ ...of(600, 65), gpu: await narrowGpu() });
});

Deno.test("sum_rows refuses what is no matrix of floats", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(
      () => sumRows(gpu.zeros([2])),
      TypeError,
      "Cannot sum rows as x must have 2 dimensions: found [2]",
    );
    assertThrows(
      () => sumRows(gpu.zeros([2, 2], "i32")),
      TypeError,
      "Cannot sum rows as x must be f32: found i32",
    );
  });
});
