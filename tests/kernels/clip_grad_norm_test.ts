import { assertEquals, assertThrows } from "@std/assert";
import { clipGradNorm } from "../../kernels/clip_grad_norm.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { testGpu, testGpus } from "../gpu.ts";
import { clipGradNorm as oracle } from "../oracle/clip_grad_norm.ts";
import { randomNd } from "../oracle/nd.ts";
import { assertClose } from "./check_op.ts";

/** Norm and factor. */
async function run(
  gpu: Gpu,
  data: readonly ArrayLike<number>[],
  maxNorm?: number,
): Promise<[number, number]> {
  const liveBefore = gpu.pool.live;
  const { norm, factor } = gpu.scope(() =>
    clipGradNorm(data.map((d) => gpu.tensor(Float32Array.from(d))), maxNorm)
  );
  const found = [(await norm.read())[0]!, (await factor.read())[0]!] as [number, number];
  norm.dispose();
  factor.dispose();
  assertEquals(gpu.pool.live, liveBefore, "live buffers");
  return found;
}

Deno.test("clipGradNorm", async () => {
  const devices = [...await testGpus(), await testGpu({ limits: { bindingBytes: 65536, workgroups: 7 } })];
  for (const sizes of [[1], [3, 0, 64], [63, 65, 1000], [6400, 4097], [20_000, 1]]) {
    const tensors = sizes.map((n, i) => randomNd([n], i + 1));
    for (const maxNorm of [0.5, 1000]) {
      const { norm, gradients } = oracle(tensors, maxNorm);
      const factor = gradients[0]!.data[0]! / tensors[0]!.data[0]!;
      for (const device of devices) {
        const found = await run(device, tensors.map(({ data }) => data), maxNorm);
        assertClose(`norm and factor of ${sizes}`, [found[0]], [norm], { rtol: 1e-6, atol: 0 });
        assertClose(`factor of ${sizes}`, [found[1]], [factor], { rtol: 1e-6, atol: 0 });
      }
    }
  }
});

Deno.test("clipGradNorm sums more elements than the loops of one pass may have iterations", async () => {
  const gpu = await testGpu();
  const n = 65_536 * 64 + 64 * 7 + 1;
  for (const size of [n, n - 1]) {
    const x = new Float32Array(size);
    let squares = 0;
    for (let i = 0; i < size; i++) {
      x[i] = (i % 1013) / 1013 - 0.25;
      squares += x[i]! ** 2;
    }
    assertClose(`norm of ${size}`, [(await run(gpu, [x]))[0]], [Math.sqrt(squares)], { rtol: 1e-6, atol: 0 });
  }
});

Deno.test("clipGradNorm gives 0 where the norm is not finite, and 1 without a limit", async () => {
  const gpu = await testGpu();
  for (const odd of [NaN, Infinity, -Infinity, 3e38]) {
    const [norm, factor] = await run(gpu, [[1, 2], [odd]], 1);
    assertEquals([Number.isFinite(norm), factor], [false, 0]);
    assertEquals((await run(gpu, [[1, odd]]))[1], 0);
  }
  assertEquals((await run(gpu, [[1e18, 1]]))[1], 1);
  assertEquals(await run(gpu, [[0, 0]], 1), [0, 1]);
});

Deno.test("clipGradNorm refuses what it cannot read", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(() => clipGradNorm([]), RangeError, "there must be one: found none");
    assertThrows(
      () => clipGradNorm([gpu.zeros([1]), gpu.zeros([2], "i32")]),
      TypeError,
      "gradients[1] must be",
    );
    for (const maxNorm of [0, -1, NaN]) {
      assertThrows(() => clipGradNorm([gpu.zeros([1])], maxNorm), RangeError, `found ${maxNorm}`);
    }
  });
});
