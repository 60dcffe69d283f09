import { conv1d } from "../../kernels/conv1d.ts";
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { conv1d as oracle } from "../oracle/conv1d.ts";
import { gate as applyGate } from "../oracle/gate.ts";
import { gelu as applyGelu } from "../oracle/gelu.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

/** Batch, frames, channels in and out, taps, stride. */
const sizes = [
  [2, 131, 1, 7, 10, 5],
  [1, 65, 16, 17, 3, 2],
  [2, 67, 17, 5, 3, 2],
  [3, 20, 65, 63, 2, 2],
  [2, 10, 3, 4, 1, 1],
  [1, 30, 18, 4, 2, 3],
  [1, 3, 1, 1, 3, 2],
] as const;

for (const gemm of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`conv1d, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [batch, frames, channels, outputs, taps, stride] of sizes) {
      const x = randomNd([batch, frames, channels], 1);
      const w = randomNd([outputs, taps, channels], 2);
      const b = randomNd([outputs], 3);
      const gate = randomNd([outputs], 4);
      const name = `conv1d ${[batch, frames, channels, outputs, taps, stride]}`;
      await checkOp({
        name,
        inputs: [x, w],
        op: ([x, w]) => conv1d(x!, w!, null, { stride }),
        oracle: ([x, w]) => oracle(x!, w!, null, { stride }),
        gpu,
      });
      await checkOp({
        name: `${name} bias, gelu, gate`,
        inputs: [x, w, b, gate],
        op: ([x, w, b, gate]) => conv1d(x!, w!, b!, { stride, gelu: true, gate: gate! }),
        oracle: ([x, w, b, gate]) => applyGate(applyGelu(oracle(x!, w!, b!, { stride })), gate!),
        gpu,
      });
    }
  });
}
