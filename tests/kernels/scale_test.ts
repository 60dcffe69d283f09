import { assertThrows } from "@std/assert";
import { scale } from "../../kernels/scale.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { scale as oracle } from "../oracle/scale.ts";
import { checkOp } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

Deno.test("scale", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    for (const s of [-1.5, 0]) {
      await checkOp({
        name: `scale ${n} ${s}`,
        inputs: [randomNd([n], n)],
        op: ([x]) => scale(x!, s),
        oracle: ([x]) => oracle(x!, s),
      });
    }
  }
});

Deno.test("scale, more than a binding holds", async () => {
  await checkOp({
    name: "scale 40000",
    inputs: [randomNd([40000], 1)],
    op: ([x]) => scale(x!, 3),
    oracle: ([x]) => oracle(x!, 3),
    gpu: await narrowGpu(),
  });
});

Deno.test("scale refuses a factor that is not finite", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(
      () => scale(gpu.zeros([2]), NaN),
      RangeError,
      "Cannot scale as the factor must be finite: found NaN",
    );
    assertThrows(
      () => scale(gpu.zeros([2], "i32"), 2),
      TypeError,
      "Cannot scale as x must be f32: found i32",
    );
  });
});
