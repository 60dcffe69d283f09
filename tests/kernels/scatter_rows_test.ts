import { assertEquals, assertThrows } from "@std/assert";
import { scatterRows } from "../../kernels/scatter_rows.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { scatterRows as oracle } from "../oracle/scatter_rows.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

// Every third row goes to row 0, and some rows get none.
const indices = (n: number, rows: number) =>
  Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 0 : i * 7) % rows);

const of = (n: number, channels: number, rows: number, onDevice = false): OpCase => {
  const index = indices(n, rows);
  return {
    name: `scatter_rows ${n}x${channels} to ${rows}${onDevice ? ", index on the device" : ""}`,
    inputs: [randomNd([n, channels], 1)],
    op: ([x]) => scatterRows(x!, onDevice ? x!.gpu.tensor(Int32Array.from(index)) : index, rows),
    oracle: ([x]) => oracle(x!, index, rows),
  };
};

Deno.test("scatter_rows", async () => {
  for (const onDevice of [false, true]) {
    for (const n of [1, 63, 64, 65, 257]) {
      await checkOp(of(n, 3, 9, onDevice));
      await checkOp(of(5, 4, n, onDevice));
      await checkOp(of(4, n, 3, onDevice));
    }
  }
});

Deno.test("scatter_rows adds past 65,535 rows to one", async () => {
  await checkOp(of(140000, 1, 2));
  await checkOp(of(140000, 1, 2, true));
});

Deno.test("scatter_rows ignores an index out of range on the device", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() =>
    scatterRows(gpu.tensor([1, 2, 4], [3, 1]), gpu.tensor(Int32Array.of(-1, 1, 2)), 2)
  );
  assertEquals(await y.read(), Float32Array.of(0, 2));
  y.dispose();
});

Deno.test("scatter_rows of no row is 0", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => scatterRows(gpu.empty([0, 2]), [], 2));
  assertEquals(await y.read(), new Float32Array(4));
  y.dispose();
});

Deno.test("scatter_rows, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  for (const onDevice of [false, true]) {
    await checkOp({ ...of(600, 33, 601, onDevice), gpu });
    await checkOp({ ...of(600, 32, 601, onDevice), gpu });
  }
});

Deno.test("scatter_rows refuses indices that do not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3]);
    assertThrows(
      () => scatterRows(x, [0, 4], 4),
      RangeError,
      "Cannot scatter rows as indices must be whole numbers below 4: index[1] is 4",
    );
    assertThrows(
      () => scatterRows(x, [0, 1], 1.5),
      RangeError,
      "Cannot scatter rows as the number of rows must be whole: found 1.5",
    );
    const throws = (fn: () => void, message: string) => assertThrows(fn, TypeError, message);
    throws(
      () => scatterRows(x, [0, 1, 2], 4),
      "Cannot scatter rows as there must be one index per row: x is [2, 3], indices are 3",
    );
    throws(() => scatterRows(x, gpu.zeros([2]), 4), "Cannot scatter rows as index must be i32: found f32");
    throws(
      () => scatterRows(gpu.zeros([2]), [0, 1], 4),
      "Cannot scatter rows as x must have 2 dimensions: found [2]",
    );
  });
});
