import { assertThrows } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { scale } from "../../kernels/scale.ts";
import { select, selectEach } from "../../kernels/select.ts";
import { testGpu } from "../gpu.ts";
import { nd, randomNd } from "../oracle/nd.ts";
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

Deno.test("the same entries of several tensors, side by side and apart", async () => {
  for (const [entries, width] of [[6, 64], [7, 3], [96, 1]] as const) {
    const shape = width === 1 ? [entries] : [entries, width];
    const index = Array.from({ length: Math.ceil(entries / 2) }, (_, i) => entries - 1 - 2 * i);
    for (const sideBySide of [[[0, 1, 2]], []]) {
      await checkOp({
        name: `select of three ${shape} ${sideBySide.length > 0}`,
        inputs: [1, 2, 3].map((seed) => randomNd(shape, seed)),
        sideBySide,
        op: (xs) => selectEach(xs, index).reduce((sum, y, i) => add(sum, scale(y, i + 1))),
        oracle: (xs) => {
          const ys = xs.map((x) => oracle(x, 0, index));
          return nd(ys[0]!.shape, ys[0]!.data.map((y, i) => y + 2 * ys[1]!.data[i]! + 3 * ys[2]!.data[i]!));
        },
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
