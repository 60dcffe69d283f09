import { weightNorm } from "../../kernels/weight_norm.ts";
import { randomNd } from "../oracle/nd.ts";
import { weightNorm as oracle } from "../oracle/weight_norm.ts";
import { checkOp } from "./check_op.ts";

Deno.test("weightNorm", async () => {
  for (const [channels, taps, width] of [[1, 1, 1], [6, 8, 3], [65, 7, 5], [12, 65, 2]] as const) {
    await checkOp({
      name: `weightNorm ${[channels, taps, width]}`,
      inputs: [randomNd([channels, taps, width], 1), randomNd([taps], 2)],
      op: ([v, g]) => weightNorm(v!, g!),
      oracle: ([v, g]) => oracle(v!, g!),
    });
  }
});
