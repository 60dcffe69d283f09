import { assertEquals, assertThrows } from "@std/assert";
import { meanFrames } from "../../kernels/mean_frames.ts";
import { testGpu } from "../gpu.ts";
import { meanFrames as oracle } from "../oracle/mean_frames.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[], lengths: number[] | null): OpCase => ({
  name: `mean_frames [${shape}] [${lengths}]`,
  inputs: [randomNd(shape, 1)],
  op: ([x]) => meanFrames(x!, lengths),
  oracle: ([x]) => oracle(x!, lengths),
});

Deno.test("mean_frames", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([2, n, 3], null));
    await checkOp(of([3, n, 4], [0, n, (n + 1) >> 1]));
    await checkOp(of([2, 3, n], [2, 3]));
  }
});

Deno.test("mean_frames, past 65,535 frames", async () => {
  await checkOp(of([1, 66000, 1], null));
});

Deno.test("mean_frames of no frames is 0", async () => {
  const gpu = await testGpu();
  const y = gpu.scope(() => meanFrames(gpu.empty([2, 0, 3])));
  assertEquals(await y.read(), new Float32Array(6));
  y.dispose();
});

Deno.test("mean_frames, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([3, 200, 33], [150, 0, 101]), gpu });
  await checkOp({ ...of([2, 700, 36], [700, 333]), gpu });
});

Deno.test("mean_frames refuses what does not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3, 1]);
    assertThrows(
      () => meanFrames(x, [1, 2, 3]),
      TypeError,
      "Cannot average frames as there must be one length per item: 3 for 2 items",
    );
    assertThrows(
      () => meanFrames(x, [4, 1]),
      RangeError,
      "Cannot average frames as lengths must be whole numbers from 0 to 3: lengths[0] is 4",
    );
    assertThrows(
      () => meanFrames(gpu.zeros([2, 3])),
      TypeError,
      "Cannot average frames as x must have 3 dimensions: found [2, 3]",
    );
    assertThrows(
      () => meanFrames(gpu.zeros([2, 3, 1], "i32")),
      TypeError,
      "Cannot average frames as x must be f32: found i32",
    );
  });
});
