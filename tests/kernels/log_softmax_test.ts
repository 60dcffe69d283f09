import { assertThrows } from "@std/assert";
import { logSoftmax } from "../../kernels/log_softmax.ts";
import { testGpu } from "../gpu.ts";
import { logSoftmax as oracle } from "../oracle/log_softmax.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

Deno.test("logSoftmax", async () => {
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 8 } });
  const shapes = [[1], [3, 1], [2, 3, 32], [63, 2], [65, 5], [2, 1024], [2, 1025], [1, 3001]];
  for (const shape of shapes) {
    await checkOp({
      name: `logSoftmax [${shape}]`,
      inputs: [randomNd(shape, 1, 3)],
      op: ([x]) => logSoftmax(x!),
      oracle: ([x]) => oracle(x!),
    });
  }
  await checkOp({
    name: "logSoftmax in windows",
    inputs: [randomNd([600, 32], 1)],
    op: ([x]) => logSoftmax(x!),
    oracle: ([x]) => oracle(x!),
    gpu: small,
  });
  await checkOp({
    name: "logSoftmax far out",
    inputs: [nd([2, 3], [-3e4, 0, 3e4, 1e4, 1e4 + 1, 1e4 - 1])],
    op: ([x]) => logSoftmax(x!),
    oracle: ([x]) => oracle(x!),
  });
});

Deno.test("logSoftmax refuses what it cannot read", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(() => logSoftmax(gpu.tensor(Int32Array.of(1))), TypeError, "x must be f32: found i32");
    assertThrows(() => logSoftmax(gpu.tensor([1], [])), TypeError, "last dimension: found []");
  });
});
