import { assertThrows } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { scale } from "../../kernels/scale.ts";
import { linear } from "../../kernels/linear.ts";
import { indexSelect, indexSelectAll, type IndexSelection } from "../../kernels/index_select.ts";
import { sum } from "../../kernels/sum.ts";
import { testGpu, testGpus } from "../gpu.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { linear as oracleLinear } from "../oracle/linear.ts";
import { indexSelect as oracle } from "../oracle/index_select.ts";
import { checkOp } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

Deno.test("indexSelect", async () => {
  for (const n of [1, 63, 64, 65, 1000]) {
    for (
      const [shape, axis] of [[[n], 0], [[n, 3], 0], [[2, n], 1], [[2, n, 4], 1], [[3, 2, n], 2]] as const
    ) {
      const index = Array.from({ length: Math.ceil(n / 2) }, (_, i) => n - 1 - 2 * i);
      await checkOp({
        name: `indexSelect ${index.length} of axis ${axis} of ${shape}`,
        inputs: [randomNd([...shape], 1)],
        op: ([x]) => indexSelect(x!, axis, index),
        oracle: ([x]) => oracle(x!, axis, index),
      });
    }
  }
});

Deno.test("indexSelectAll of tensors in one buffer, and of others", async () => {
  const shapes = [[40, 64], [9, 3, 7], [70]];
  const kept: Omit<IndexSelection, "x">[] = [
    { columns: [3, 0, 63, 17] },
    { rows: [8, 2, 5], columns: [6, 0, 1, 4, 5] },
    { rows: Array.from({ length: 69 }, (_, i) => 69 - i) },
  ];
  for (const gpu of [...await testGpus(), await narrowGpu()]) {
    for (const sideBySide of [true, false]) {
      await checkOp({
        name: `indexSelectAll ${sideBySide}`,
        inputs: shapes.map((shape, i) => randomNd(shape, i + 1)),
        // The tensors of an arena may have different shapes.
        sideBySide: sideBySide ? [[0, 1, 2]] : [],
        op: (xs) => {
          const ys = indexSelectAll(xs.map((x, i) => ({ x, ...kept[i] })));
          return ys.map((y) => sum(scale(y, y.size))).reduce((all, y) => add(all, y));
        },
        oracle: (xs) => {
          const ys = xs.map((x, i) => {
            const { rows, columns } = kept[i]!;
            const y = rows ? oracle(x, 0, rows) : x;
            return columns ? oracle(y, y.shape.length - 1, columns) : y;
          });
          return nd([], [
            ys.reduce((all, { data }) => all + data.length * data.reduce((a, b) => a + b, 0), 0),
          ]);
        },
        gpu,
      });
    }
  }
});

Deno.test("indexSelectAll of a layer, whose gradients are written side by side", async () => {
  const index = [5, 1, 6, 2];
  await checkOp({
    name: "indexSelectAll to a linear layer",
    inputs: [randomNd([3, 6], 1), randomNd([7, 6], 2), randomNd([7], 3)],
    sideBySide: [[1], [2]],
    op: ([x, ...layer]) => {
      const [w, b] = indexSelectAll(layer.map((x) => ({ x, rows: index })));
      return linear(
        linear(x!, w!, b!),
        indexSelectAll([{ x: layer[0]!, rows: index, columns: [0, 2, 3, 5] }])[0]!,
        b!,
      );
    },
    oracle: ([x, w, b]) => {
      const [rows, bias] = [oracle(w!, 0, index), oracle(b!, 0, index)];
      return oracleLinear(oracleLinear(x!, rows, bias), oracle(rows, 1, [0, 2, 3, 5]), bias);
    },
  });
});

Deno.test("indexSelect refuses indices that do not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3]);
    for (const wrong of [[0, 3], [1, 1], [0, 0.5]]) {
      assertThrows(
        () => indexSelect(x, 1, wrong),
        RangeError,
        "different whole numbers below 3: index[1] is",
      );
    }
    assertThrows(() => indexSelect(x, 1, []), RangeError, "there must be an index");
    assertThrows(() => indexSelect(x, 2, [0]), RangeError, "must have axis 2: it is [2, 3]");
  });
});
