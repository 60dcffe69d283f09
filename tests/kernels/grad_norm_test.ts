import { assertEquals, assertThrows } from "@std/assert";
import { clipCoefficient, gradNorm } from "../../kernels/grad_norm.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { testGpu } from "../gpu.ts";
import { clipGradNorm } from "../oracle/clip_grad_norm.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { assertClose, upload } from "./check_op.ts";

/** Norm of the tensors and what they are to be multiplied with. */
async function run(
  gpu: Gpu,
  data: readonly ArrayLike<number>[],
  maxNorm?: number,
): Promise<[number, number]> {
  const liveBefore = gpu.pool.live;
  const { norm, factor } = gpu.scope(() => {
    const norm = gradNorm(data.map((d) => gpu.tensor(Float32Array.from(d))));
    return { norm, factor: clipCoefficient(norm, maxNorm) };
  });
  const found = [(await norm.read())[0]!, (await factor.read())[0]!] as [number, number];
  norm.dispose();
  factor.dispose();
  assertEquals(gpu.pool.live, liveBefore, "live buffers");
  return found;
}

Deno.test("gradNorm and clipCoefficient", async () => {
  const gpu = await testGpu();
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 7 } });
  for (const sizes of [[1], [3, 0, 64], [63, 65, 1000], [6400, 4097], [20_000, 1]]) {
    const tensors = sizes.map((n, i) => randomNd([n], i + 1));
    for (const maxNorm of [0.5, 1000]) {
      const { norm, gradients } = clipGradNorm(tensors, maxNorm);
      const factor = gradients[0]!.data[0]! / tensors[0]!.data[0]!;
      for (const device of [gpu, small]) {
        const found = await run(device, tensors.map(({ data }) => data), maxNorm);
        assertClose(`norm and factor of ${sizes}`, [found[0]], [norm], { rtol: 1e-6, atol: 0 });
        assertClose(`factor of ${sizes}`, [found[1]], [factor], { rtol: 1e-6, atol: 0 });
      }
    }
  }
});

Deno.test("gradNorm sums more elements than loops of one pass may have rounds", async () => {
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

Deno.test("clipCoefficient is 0 where the norm is not finite, and 1 without a limit", async () => {
  const gpu = await testGpu();
  for (const odd of [NaN, Infinity, -Infinity, 3e38]) {
    const [norm, factor] = await run(gpu, [[1, 2], [odd]], 1);
    assertEquals([Number.isFinite(norm), factor], [false, 0]);
    assertEquals((await run(gpu, [[1, odd]]))[1], 0);
  }
  assertEquals((await run(gpu, [[1e18, 1]]))[1], 1);
  assertEquals(await run(gpu, [[0, 0]], 1), [0, 1]);
});

Deno.test("gradNorm and clipCoefficient refuse what they cannot read", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    assertThrows(() => gradNorm([]), RangeError, "there must be a tensor");
    assertThrows(
      () => gradNorm([gpu.zeros([1]), gpu.zeros([2], "i32")]),
      TypeError,
      "tensors[1] must be f32",
    );
    assertThrows(() => clipCoefficient(gpu.zeros([2]), 1), TypeError, "norm must be []: found [2]");
    for (const maxNorm of [0, -1, NaN]) {
      assertThrows(() => clipCoefficient(upload(gpu, nd([], [1])), maxNorm), RangeError, `found ${maxNorm}`);
    }
  });
});
