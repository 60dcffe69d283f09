import { assertThrows } from "@std/assert";
import { maskEmbedding } from "../../kernels/mask_embedding.ts";
import { testGpu } from "../gpu.ts";
import { maskEmbedding as oracle } from "../oracle/mask_embedding.ts";
import { randomMask, randomNd } from "../oracle/nd.ts";
import { checkOp, type OpCase, upload } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

const of = (shape: number[], dtype: "f32" | "i32" = "f32"): OpCase => {
  const mask = randomMask(shape.slice(0, 2), 5);
  return {
    name: `mask_embedding [${shape}] ${dtype}`,
    inputs: [randomNd(shape, 1), randomNd(shape.slice(2), 2)],
    op: ([x, e]) => {
      const { gpu } = x!;
      const onDevice = dtype === "f32"
        ? upload(gpu, mask)
        : gpu.tensor(Int32Array.from(mask.data), mask.shape);
      return maskEmbedding(x!, e!, onDevice);
    },
    oracle: ([x, e]) => oracle(x!, e!, mask),
  };
};

Deno.test("mask_embedding", async () => {
  for (const n of [1, 63, 64, 65, 257]) {
    await checkOp(of([2, n, 3]));
    await checkOp(of([2, n, 4], "i32"));
    await checkOp(of([2, 3, n]));
  }
});

Deno.test("mask_embedding, more than a binding holds", async () => {
  const gpu = await narrowGpu();
  await checkOp({ ...of([3, 200, 33]), gpu });
  await checkOp({ ...of([3, 200, 32]), gpu });
});

Deno.test("mask_embedding refuses what does not fit", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const [x, e, mask] = [gpu.zeros([2, 3, 4]), gpu.zeros([4]), gpu.zeros([2, 3])];
    const doing = "Cannot mask frames by an embedding as";
    const throws = (fn: () => void, message: string) => assertThrows(fn, TypeError, `${doing} ${message}`);
    throws(() => maskEmbedding(x, gpu.zeros([3]), mask), "e must be [4]: found [3]");
    throws(() => maskEmbedding(x, e, gpu.zeros([3, 2])), "mask must be [2, 3]: found [3, 2]");
    throws(() => maskEmbedding(mask, e, mask), "x must have 3 dimensions: found [2, 3]");
    throws(() => maskEmbedding(x, gpu.zeros([4], "i32"), mask), "e must be f32: found i32");
  });
});
