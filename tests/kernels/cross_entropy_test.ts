import { assertEquals, assertThrows } from "@std/assert";
import { crossEntropy } from "../../kernels/cross_entropy.ts";
import { testGpu } from "../gpu.ts";
import { crossEntropy as oracle } from "../oracle/cross_entropy.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

Deno.test("crossEntropy", async () => {
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 8 } });
  const gpu = await testGpu();
  for (const reduction of ["mean", "sum", "none"] as const) {
    for (const [rows, columns] of [[1, 1], [1, 7], [5, 31], [65, 3], [2, 1500], [600, 32]] as const) {
      const labels = Array.from({ length: rows }, (_, row) => (row * 7 + 3) % columns);
      await checkOp({
        name: `crossEntropy ${rows}x${columns} ${reduction}`,
        inputs: [randomNd([rows, columns], 1, 2)],
        op: ([x]) => crossEntropy(x!, labels, { reduction }),
        oracle: ([x]) => oracle(x!, labels, { reduction }),
        exhaustive: 200,
        gpu: rows === 600 ? small : gpu,
      });
    }
  }
  await checkOp({
    name: "crossEntropy of confident scores",
    inputs: [nd([2, 3], [0, 20, -3e4, 1e4, 1e4 + 12, 0])],
    op: ([x]) => crossEntropy(x!, [1, 0]),
    oracle: ([x]) => oracle(x!, [1, 0]),
  });
});

Deno.test("crossEntropy sums more rows than a loop may have iterations", async () => {
  const gpu = await testGpu();
  const rows = 70_000;
  const labels = Array.from({ length: rows }, (_, row) => row % 2);
  using x = gpu.zeros([rows, 2]);
  using loss = crossEntropy(x, labels, { reduction: "sum" });
  assertEquals(Math.abs((await loss.read())[0]! - rows * Math.LN2) < 0.1, true);
});

Deno.test("crossEntropy refuses what it cannot read", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3]);
    assertThrows(() => crossEntropy(x, [0]), TypeError, "logits are [2, 3], labels are [1]");
    assertThrows(() => crossEntropy(gpu.zeros([6]), [0]), TypeError, "logits are [6]");
    assertThrows(() => crossEntropy(gpu.zeros([2, 3], "i32"), [0, 1]), TypeError, "found i32");
    assertThrows(() => crossEntropy(gpu.zeros([0, 3]), []), RangeError, "there must be a row");
    for (const label of [-1, 3, 0.5, NaN]) {
      assertThrows(() => crossEntropy(x, [0, label]), RangeError, `labels[1] is ${label}`);
    }
  });
});
