import { assertEquals, assertThrows } from "@std/assert";
import { gatherRows } from "../../kernels/gather_rows.ts";
import { testGpu } from "../gpu.ts";
import { gatherRows as oracle } from "../oracle/gather_rows.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

// Every third row is taken twice as often, and some not at all.
const indices = (n: number, rows: number) =>
  Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 0 : i * 7) % rows);

const of = (rows: number, n: number, channels: number, onDevice = false): OpCase => {
  const index = indices(n, rows);
  return {
    name: `gather_rows ${n} of ${rows}x${channels}${onDevice ? ", index on the device" : ""}`,
    inputs: [randomNd([rows, channels], 1)],
    op: ([x]) => gatherRows(x!, onDevice ? x!.gpu.tensor(Int32Array.from(index)) : index),
    oracle: ([x]) => oracle(x!, index),
  };
};

Deno.test("gather_rows", async () => {
  for (const onDevice of [false, true]) {
    for (const n of [1, 63, 64, 65, 257]) {
      await checkOp(of(9, n, 3, onDevice));
      await checkOp(of(n, 5, 4, onDevice));
      await checkOp(of(3, 4, n, onDevice));
    }
  }
});

Deno.test("gather_rows takes one row past 65,535 times", async () => {
  await checkOp(of(2, 66000, 1));
  await checkOp(of(2, 66000, 1, true));
});

Deno.test("gather_rows gives zeros for an index out of range on the device", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => gatherRows(gpu.tensor([1, 2], [2, 1]), gpu.tensor(Int32Array.of(-1, 1, 2))));
  assertEquals(await y.read(), Float32Array.of(0, 2, 0));
  y.dispose();
});

Deno.test("gather_rows of no index", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => gatherRows(gpu.zeros([2, 3]), []));
  assertEquals(y.shape, [0, 3]);
  y.dispose();
});

Deno.test("gather_rows of no row gives zeros", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => gatherRows(gpu.empty([0, 2]), gpu.tensor(Int32Array.of(0))));
  assertEquals(await y.read(), new Float32Array(2));
  y.dispose();
});

Deno.test("gather_rows, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  for (const onDevice of [false, true]) {
    await checkOp({ ...of(600, 601, 33, onDevice), gpu });
    await checkOp({ ...of(600, 601, 32, onDevice), gpu });
  }
});

Deno.test("gather_rows refuses indices out of range", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([3, 2]);
    for (const wrong of [3, -1, 0.5]) {
      assertThrows(
        () => gatherRows(x, [0, wrong]),
        RangeError,
        `Cannot gather rows as indices must be whole numbers below 3: index[1] is ${wrong}`,
      );
    }
    const throws = (fn: () => void, message: string) => assertThrows(fn, TypeError, message);
    throws(() => gatherRows(x, gpu.zeros([2])), "Cannot gather rows as index must be i32: found f32");
    throws(
      () => gatherRows(x, gpu.zeros([2, 2], "i32")),
      "Cannot gather rows as index must have 1 dimensions: found [2, 2]",
    );
    throws(
      () => gatherRows(gpu.zeros([3]), [0]),
      "Cannot gather rows as x must have 2 dimensions: found [3]",
    );
    throws(() => gatherRows(gpu.zeros([3, 2], "i32"), [0]), "Cannot gather rows as x must be f32: found i32");
  });
});
