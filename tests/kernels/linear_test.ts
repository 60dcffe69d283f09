import { linear } from "../../kernels/linear.ts";
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { add } from "../oracle/add.ts";
import { linear as oracle } from "../oracle/linear.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

/** Rows, inputs and outputs: odd widths, and one that is stored as vec4s. */
const SIZES = [[1, 1, 1], [63, 5, 65], [65, 64, 63], [4, 257, 7], [35, 12, 36]] as const;

for (const gemm of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`linear, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [rows, inputs, outputs] of SIZES) {
      const x = randomNd([rows, inputs], 1);
      const w = randomNd([outputs, inputs], 2);
      const b = randomNd([outputs], 3);
      const gate = randomNd([outputs], 4);
      const residual = randomNd([rows, outputs], 5);
      const sizes = `${rows}x${inputs}x${outputs}`;
      await checkOp({
        name: `linear ${sizes}`,
        inputs: [x, w, b],
        op: ([x, w, b]) => linear(x!, w!, b!),
        oracle: ([x, w, b]) => oracle(x!, w!, b!),
        gpu,
      });
      await checkOp({
        name: `linear ${sizes} without bias`,
        inputs: [x, w],
        op: ([x, w]) => linear(x!, w!),
        oracle: ([x, w]) => oracle(x!, w!),
        gpu,
      });
      await checkOp({
        name: `linear ${sizes} gelu, gate, residual`,
        inputs: [x, w, b, gate, residual],
        op: ([x, w, b, gate, residual]) =>
          linear(x!, w!, b!, { gelu: true, gate: gate!, residual: residual! }),
        oracle: ([x, w, b, gate, residual]) =>
          add(oracle(x!, w!, b!, { gelu: true, gate: gate! }), residual!),
        gpu,
      });
      await checkOp({
        name: `linear ${sizes} residual`,
        inputs: [x, w, b, residual],
        op: ([x, w, b, residual]) => linear(x!, w!, b!, { residual: residual! }),
        oracle: ([x, w, b, residual]) => add(oracle(x!, w!, b!), residual!),
        gpu,
      });
      await checkOp({
        name: `linear ${sizes} gate`,
        inputs: [x, w, gate],
        op: ([x, w, gate]) => linear(x!, w!, null, { gate: gate! }),
        oracle: ([x, w, gate]) => oracle(x!, w!, null, { gate: gate! }),
        gpu,
      });
    }
  });
}
