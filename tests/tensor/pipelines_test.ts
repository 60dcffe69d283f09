import { assertEquals } from "@std/assert";
import { add } from "../../kernels/add.ts";
import { attention } from "../../kernels/attention.ts";
import { conv1d } from "../../kernels/conv1d.ts";
import { gelu } from "../../kernels/gelu.ts";
import { linear } from "../../kernels/linear.ts";
import { positionalConv } from "../../kernels/positional_conv.ts";
import { sum } from "../../kernels/sum.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { Kernel } from "../../tensor/kernel.ts";
import { backward } from "../../tensor/backward.ts";
import { variants } from "../full.ts";
import { testGpu } from "../gpu.ts";
import { randomNd } from "../oracle/nd.ts";
import { upload } from "../kernels/check_op.ts";

/** A small model on an utterance of `frames` frames, forward and backward. */
function step(gpu: Gpu, frames: number): void {
  gpu.scope(() => {
    const parameter = (shape: number[]) => {
      const tensor = upload(gpu, randomNd(shape, shape.length));
      tensor.requiresGrad = true;
      return tensor;
    };
    const x = upload(gpu, randomNd([2, 2 * frames + 1, 4], 1));
    const h = conv1d(x, parameter([16, 3, 4]), parameter([16]), { stride: 2, gelu: true });
    const p = positionalConv(h, parameter([16, 4, 8]), null, { groups: 2 });
    const [q, k, v] = [1, 2, 3].map(() => linear(p, parameter([16, 16]), parameter([16])));
    const y = attention(q!, k!, v!, { heads: 2, lengths: [frames, frames - 1] });
    backward(sum(gelu(add(y, h))));
  });
}

for (const gemm of variants(["texture", "tile-32", "tile-64"] as const, "texture", "tile-32")) {
  Deno.test(`a new sequence length compiles nothing, ${gemm}`, async () => {
    const gpu = await testGpu({ gemm });
    // The texture GEMM has one entry point for small and one for large sizes, and stores each vec4 of columns directly.
    for (const frames of [9, 12, 93, 128]) step(gpu, frames);
    const compiled = gpu.pipelines.count;
    for (const frames of [10, 11, 16, 61, 64, 65, 100, 119, 127]) step(gpu, frames);
    assertEquals(gpu.pipelines.count, compiled);
    await gpu.sync();
  });
}

Deno.test("a pipeline is compiled once for an entry point and its constants", async () => {
  const gpu = await testGpu();
  const kernel = new Kernel(
    "powers",
    `override BASE: f32 = 2.0;
     override SQUARE: bool = false;
     @group(0) @binding(0) var<storage, read_write> y: array<f32>;
     @compute @workgroup_size(1) fn main() { y[0] = select(BASE, BASE * BASE, SQUARE); }
     @compute @workgroup_size(1) fn other() { y[0] = -BASE; }`,
  );
  using y = gpu.zeros([1]);
  const before = gpu.pipelines.count;
  const run = async (entry: string, constants: Record<string, number | boolean>) => {
    gpu.run(kernel, { entry, bind: { y }, constants, workgroups: 1 });
    return [gpu.pipelines.count - before, (await y.read())[0]];
  };
  assertEquals(await run("main", {}), [1, 2]);
  assertEquals(await run("main", { BASE: 3, SQUARE: true }), [2, 9]);
  assertEquals(await run("main", { BASE: 3, SQUARE: false }), [3, 3]);
  assertEquals(await run("main", { BASE: 3, SQUARE: true }), [3, 9]);
  assertEquals(await run("other", { BASE: 3 }), [4, -3]);
  assertEquals(await run("main", {}), [4, 2]);
});
