import { assertThrows } from "@std/assert";
import { maskFrames } from "../../kernels/mask_frames.ts";
import { testGpu } from "../gpu.ts";
import { maskFrames as oracle } from "../oracle/mask_frames.ts";
import { randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[], lengths: number[]): OpCase => ({
  name: `mask_frames [${shape}] [${lengths}]`,
  inputs: [randomNd(shape, 1)],
  op: ([x]) => maskFrames(x!, lengths),
  oracle: ([x]) => oracle(x!, lengths),
});

Deno.test("mask_frames", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([3, n, 2], [0, n, n >> 1]));
    await checkOp(of([2, 3, n], [2, 3]));
  }
});

Deno.test("mask_frames, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([3, 200, 33], [150, 0, 101]), gpu });
  await checkOp({ ...of([3, 200, 32], [150, 0, 101]), gpu });
});

Deno.test("mask_frames refuses lengths that do not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const x = gpu.zeros([2, 3, 1]);
    assertThrows(
      () => maskFrames(x, [1]),
      TypeError,
      "Cannot mask frames as there must be one length per item: 1 for 2 items",
    );
    for (const wrong of [4, -1, 0.5]) {
      assertThrows(
        () => maskFrames(x, [1, wrong]),
        RangeError,
        `Cannot mask frames as lengths must be whole numbers from 0 to 3: lengths[1] is ${wrong}`,
      );
    }
    assertThrows(
      () => maskFrames(gpu.zeros([2, 3]), [1, 1]),
      TypeError,
      "Cannot mask frames as x must have 3 dimensions: found [2, 3]",
    );
    assertThrows(
      () => maskFrames(gpu.zeros([2, 3, 1], "i32"), [1, 1]),
      TypeError,
      "Cannot mask frames as x must be f32: found i32",
    );
  });
});
