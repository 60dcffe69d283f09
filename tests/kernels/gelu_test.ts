import { gelu } from "../../kernels/gelu.ts";
import { gelu as oracle } from "../oracle/gelu.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { checkOp } from "./check_op.ts";

Deno.test("gelu", async () => {
  for (const n of [1, 63, 64, 65, 257, 1000]) {
    await checkOp({
      name: `gelu ${n}`,
      inputs: [randomNd([n], n, 3)],
      op: ([x]) => gelu(x!),
      oracle: ([x]) => oracle(x!),
    });
  }
  await checkOp({
    name: "gelu far out",
    inputs: [nd([8], [-30, -12, -6, -1e-6, 1e-6, 6, 12, 30])],
    op: ([x]) => gelu(x!),
    oracle: ([x]) => oracle(x!),
  });
});
