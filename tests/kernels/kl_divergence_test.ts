import { assertThrows } from "@std/assert";
import { klDivergence } from "../../kernels/kl_divergence.ts";
import { testGpu } from "../gpu.ts";
import { klDivergence as oracle } from "../oracle/kl_divergence.ts";
import { logSoftmax } from "../oracle/log_softmax.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

Deno.test("klDivergence", async () => {
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 8 } });
  const gpu = await testGpu();
  for (const shape of [[1], [3, 1], [2, 3, 32], [65, 5], [2, 1025], [600, 32]]) {
    const target = logSoftmax(randomNd(shape, 2, 3));
    await checkOp({
      name: `klDivergence [${shape}]`,
      inputs: [randomNd(shape, 1, 3), target, randomNd(shape.slice(0, -1), 3)],
      op: ([x, t, w]) => klDivergence(x!, t!, w!),
      oracle: ([x, t, w]) => oracle(x!, t!, w!),
      wrt: [0],
      exhaustive: 200,
      gpu: shape[0] === 600 ? small : gpu,
    });
  }
  await checkOp({
    name: "klDivergence of confident scores",
    inputs: [nd([2, 2], [0, 20, 1e4 + 12, 1e4]), nd([2, 2], [-20, -2e-9, -90, 0]), nd([2], [1, 0])],
    op: ([x, t, w]) => klDivergence(x!, t!, w!),
    oracle: ([x, t, w]) => oracle(x!, t!, w!),
    wrt: [0],
  });
});

Deno.test("klDivergence refuses what it cannot read", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3]);
    const w = gpu.zeros([2]);
    assertThrows(
      () => klDivergence(x, gpu.zeros([2, 3], "i32"), w),
      TypeError,
      "target must be f32: found i32",
    );
    assertThrows(() => klDivergence(x, gpu.zeros([3, 2]), w), TypeError, "[3, 2]");
    assertThrows(() => klDivergence(x, x, gpu.zeros([3])), TypeError, "[3]");
    assertThrows(() => klDivergence(gpu.zeros([]), gpu.zeros([]), w), TypeError, "last dimension: found []");
  });
});
