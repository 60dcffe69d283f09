import { assertThrows } from "@std/assert";
import { gate } from "../../kernels/gate.ts";
import { testGpu } from "../gpu.ts";
import { gate as oracle } from "../oracle/gate.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[]): OpCase => ({
  name: `gate [${shape}]`,
  inputs: [randomNd(shape, 1), randomNd(shape.slice(-1), 2)],
  op: ([x, z]) => gate(x!, z!),
  oracle: ([x, z]) => oracle(x!, z!),
});

Deno.test("gate", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([3, n]));
    await checkOp(of([n, 2, 5]));
  }
  await checkOp({ ...of([70, 3]), name: "gate closed", inputs: [randomNd([70, 3], 1), nd([3], [0, 1, 0])] });
});

Deno.test("gate, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([600, 65]), gpu });
  await checkOp({ ...of([600, 68]), gpu });
});

Deno.test("gate refuses another number of gates", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(
      () => gate(gpu.zeros([3, 2]), gpu.zeros([3])),
      TypeError,
      "Cannot gate as z must be [2]: found [3]",
    );
    assertThrows(
      () => gate(gpu.zeros([2], "i32"), gpu.zeros([2])),
      TypeError,
      "Cannot gate as x must be f32: found i32",
    );
  });
});
