import { assertThrows } from "@std/assert";
import { reshape } from "../../kernels/reshape.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { reshape as oracle } from "../oracle/reshape.ts";
import { checkOp } from "./check_op.ts";

Deno.test("reshape", async () => {
  await checkOp({
    name: "reshape",
    inputs: [randomNd([5, 13], 1)],
    op: ([x]) => reshape(x!, [13, 1, 5]),
    oracle: ([x]) => oracle(x!, [13, 1, 5]),
  });
});

Deno.test("reshape refuses another size", async () => {
  using x = (await testGpu()).zeros([2, 3]);
  assertThrows(() => reshape(x, [7]), TypeError, "sizes must be equal: [2, 3] to [7]");
});
