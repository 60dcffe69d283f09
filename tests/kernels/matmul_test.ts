import { matmul } from "../../kernels/matmul.ts";
import { GEMM_VARIANTS } from "../../kernels/gemm/choice.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { matmul as oracle } from "../oracle/matmul.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

for (const gemm of variants(GEMM_VARIANTS, "texture", "tile-32")) {
  Deno.test(`matmul, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    for (const [m, n, k] of [[1, 1, 1], [3, 5, 2], [65, 63, 64], [63, 257, 65], [17, 1, 130]] as const) {
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const options = { transposeA, transposeB };
          await checkOp({
            name: `matmul ${m}x${n}x${k} ${transposeA} ${transposeB}`,
            inputs: [
              randomNd(transposeA ? [2, k, m] : [2, m, k], 1),
              randomNd(transposeB ? [2, n, k] : [2, k, n], 2),
            ],
            op: ([a, b]) => matmul(a!, b!, options),
            oracle: ([a, b]) => oracle(a!, b!, options),
            exhaustive: 30,
            gpu,
          });
        }
      }
    }
  });
}
