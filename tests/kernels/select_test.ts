import { assertThrows } from "@std/assert";
import { select } from "../../kernels/select.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { select as oracle } from "../oracle/select.ts";
import { checkOp } from "./check_op.ts";

Deno.test("select", async () => {
  for (const n of [1, 63, 64, 65, 1000]) {
    for (
      const [shape, axis] of [[[n], 0], [[n, 3], 0], [[2, n], 1], [[2, n, 4], 1], [[3, 2, n], 2]] as const
    ) {
      const index = Array.from({ length: Math.ceil(n / 2) }, (_, i) => n - 1 - 2 * i);
      await checkOp({
        name: `select ${index.length} of axis ${axis} of ${shape}`,
        inputs: [randomNd([...shape], 1)],
        op: ([x]) => select(x!, axis, index),
        oracle: ([x]) => oracle(x!, axis, index),
      });
    }
  }
});

Deno.test("select refuses what is no list of entries", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3]);
    for (const wrong of [[0, 3], [1, 1], [0, 0.5]]) {
      assertThrows(() => select(x, 1, wrong), RangeError, "different whole numbers below 3: index[1] is");
    }
    assertThrows(() => select(x, 1, []), RangeError, "there must be an index");
    assertThrows(() => select(x, 2, [0]), RangeError, "must have axis 2: it is [2, 3]");
  });
});
