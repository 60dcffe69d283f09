import { assertThrows } from "@std/assert";
import { batchNorm } from "../../kernels/batch_norm.ts";
import { testGpu } from "../gpu.ts";
import { batchNorm as oracle } from "../oracle/batch_norm.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

function of(shape: number[], eps = 1e-5): OpCase {
  const channel = shape.slice(-1);
  const variance = randomNd(channel, 5);
  return {
    name: `batchNorm [${shape}], eps ${eps}`,
    inputs: [
      ...[shape, channel, channel, channel].map((shape, i) => randomNd(shape, i + 1)),
      nd(channel, variance.data.map((v) => Math.fround(0.3 + v * v))),
    ],
    op: ([x, w, b, mean, variance]) => batchNorm(x!, w!, b!, { mean: mean!, variance: variance! }, { eps }),
    oracle: ([x, w, b, mean, variance]) => oracle(x!, w!, b!, mean!, variance!, eps),
    wrt: [0, 1, 2],
  };
}

Deno.test("batchNorm", async () => {
  for (const n of [1, 63, 64, 257]) {
    await checkOp(of([3, n]));
    await checkOp(of([n, 2, 5], 0.1));
  }
});

Deno.test("batchNorm, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([600, 65]), gpu });
  await checkOp({ ...of([600, 68]), gpu });
});

Deno.test("batchNorm refuses other shapes and types", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const three = gpu.zeros([3]);
    const statistics = { mean: three, variance: gpu.zeros([2]) };
    assertThrows(
      () => batchNorm(gpu.zeros([4, 3]), three, three, statistics),
      TypeError,
      "Cannot apply a batch norm as variance must be [3]: found [2]",
    );
    assertThrows(
      () => batchNorm(gpu.zeros([4, 3], "i32"), three, three, { mean: three, variance: three }),
      TypeError,
      "Cannot apply a batch norm as x must be f32: found i32",
    );
  });
});
