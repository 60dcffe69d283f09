import { assertThrows } from "@std/assert";
import { relativeBias } from "../../kernels/relative_bias.ts";
import { roundUp } from "../../tensor/align.ts";
import { testGpu } from "../gpu.ts";
import { type Nd, randomNd, resizeRows } from "../oracle/nd.ts";
import { relativeBias as oracle } from "../oracle/relative_bias.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const padded = (y: Nd) => resizeRows(y, roundUp(y.shape.at(-1)!, 4));

const of = (batch: number, frames: number, heads: number): OpCase => ({
  name: `relative_bias ${[batch, frames, heads]}`,
  inputs: [randomNd([batch, frames, heads], 1), randomNd([2 * frames - 1, heads], 2)],
  op: ([g, r]) => relativeBias(g!, r!),
  oracle: ([g, r]) => padded(oracle(g!, r!)),
});

Deno.test("relative_bias", async () => {
  for (const frames of [1, 2, 31, 64, 65]) await checkOp(of(1, frames, 2));
  for (const [batch, frames, heads] of [[3, 5, 1], [2, 9, 3], [2, 7, 65], [65, 3, 2]] as const) {
    await checkOp(of(batch, frames, heads));
  }
});

Deno.test("relative_bias of chosen heads", async () => {
  for (const heads of [[2], [3, 0], [1, 2, 4], []]) {
    await checkOp({
      ...of(2, 9, 5),
      name: `relative_bias of heads ${heads}`,
      op: ([g, r]) => relativeBias(g!, r!, { heads }),
      oracle: ([g, r]) => padded(oracle(g!, r!, heads)),
    });
  }
});

Deno.test("relative_bias, more than a binding holds", async () => {
  // An utterance has 195 rows of 65 keys, a window 192: windows begin and end within an image.
  await checkOp({ ...of(3, 65, 3), gpu: await narrowGpu() });
});

Deno.test("relative_bias sums more than 65,535 terms", async () => {
  await checkOp({ ...of(22000, 3, 1), wrt: [1] });
});

Deno.test("relative_bias refuses other sizes", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(
      () => relativeBias(gpu.zeros([1, 4, 2]), gpu.zeros([8, 2])),
      TypeError,
      "Cannot make a position bias as r must be [7, 2]: found [8, 2]",
    );
    assertThrows(
      () => relativeBias(gpu.zeros([4, 2]), gpu.zeros([7, 2])),
      TypeError,
      "Cannot make a position bias as g must have 3 dimensions: found [4, 2]",
    );
    assertThrows(
      () => relativeBias(gpu.zeros([1, 4, 2]), gpu.zeros([7, 2]), { heads: [1, 1] }),
      RangeError,
      "Cannot make a position bias as chosen heads must be different and below 2: heads[1] is 1",
    );
  });
});
