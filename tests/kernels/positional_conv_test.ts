import { positionalConv } from "../../kernels/positional_conv.ts";
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { gelu as applyGelu } from "../oracle/gelu.ts";
import { randomNd } from "../oracle/nd.ts";
import { positionalConv as oracle } from "../oracle/positional_conv.ts";
import { checkOp } from "./check_op.ts";

/** Batch, frames, groups, channels of a group, taps. */
const sizes = [[2, 33, 2, 6, 8], [1, 5, 4, 3, 7], [2, 17, 1, 16, 16], [1, 65, 2, 20, 4]] as const;

for (const gemm of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`positionalConv, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [batch, frames, groups, width, taps] of sizes) {
      const channels = groups * width;
      const inputs = [
        randomNd([batch, frames, channels], 1),
        randomNd([channels, taps, width], 2),
        randomNd([channels], 3),
      ];
      const name = `positionalConv ${[batch, frames, groups, width, taps]}`;
      await checkOp({
        name,
        inputs,
        op: ([x, w, b]) => positionalConv(x!, w!, b!, { groups }),
        oracle: ([x, w, b]) => oracle(x!, w!, b!, { groups }),
        gpu,
      });
      await checkOp({
        name: `${name} gelu`,
        inputs,
        op: ([x, w, b]) => positionalConv(x!, w!, b!, { groups, gelu: true }),
        oracle: ([x, w, b]) => applyGelu(oracle(x!, w!, b!, { groups })),
        gpu,
      });
    }
  });
}
