import { assertEquals } from "@std/assert";
import { relu } from "../../kernels/relu.ts";
import { backward } from "../../tensor/backward.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { relu as oracle } from "../oracle/relu.ts";
import { checkOp } from "./check_op.ts";

Deno.test("relu", async () => {
  for (const n of [1, 63, 64, 65, 257, 1000]) {
    await checkOp({
      name: `relu ${n}`,
      inputs: [randomNd([n], n, 3)],
      op: ([x]) => relu(x!),
      oracle: ([x]) => oracle(x!),
    });
  }
});

Deno.test("relu has slope 0 at 0 and below, 1 above", async () => {
  const gpu = await testGpu();
  using x = gpu.tensor([-2, 0, 1e-30, 3]);
  x.requiresGrad = true;
  const dx = gpu.scope(() => backward(relu(x), { gradient: gpu.tensor([5, 6, 7, 8]) }).get(x)!);
  assertEquals([...await dx.read()], [0, 0, 7, 8]);
  dx.dispose();
});
