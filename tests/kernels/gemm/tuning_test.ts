import { assertEquals, assertGreater } from "@std/assert";
import { gemm } from "../../../kernels/gemm/gemm.ts";
import { batchInvariant, variantOf } from "../../../kernels/gemm/policy.ts";
import { tuneGemm, tuningOf, tuningProblems } from "../../../kernels/gemm/tuning.ts";
import { GEMM_VARIANTS, gemmClass, usualGemm } from "../../../kernels/gemm/choice.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { variants } from "../../full.ts";
import { testGpu } from "../../gpu.ts";
import { randomNd } from "../../oracle/nd.ts";
import { upload } from "../check_op.ts";

Deno.test("the kernels are measured on a GEMM of each class, and the fastest is chosen", async () => {
  const gpu = await testGpu();
  const live = gpu.pool.live;
  const small = { m: 64, n: 40, k: 40, batch: 1 };
  const extents = variants([small, { m: 300, n: 20, k: 600, batch: 2 }], small);
  const shown: string[] = [];
  const timings = await tuneGemm(gpu, { extents, sampleMs: 1, onTiming: ({ name }) => shown.push(name) });
  assertEquals(timings.map(({ name }) => name), extents.map(gemmClass));
  assertEquals(shown, timings.map(({ name }) => name));
  assertEquals(Object.keys(timings[0]!.ms), [...GEMM_VARIANTS]);
  for (const { ms, best } of timings) {
    assertEquals(ms[best], Math.min(...Object.values(ms)));
    assertGreater(ms[best]!, 0);
  }
  assertEquals(gpu.pool.live, live);
});

Deno.test("tuning problems are of a class each, and a class that was measured has its kernel", async () => {
  const names = tuningProblems().map(gemmClass);
  assertEquals(new Set(names).size, names.length);
  const [small, large] = [{ m: 9, n: 70, k: 64, batch: 2 }, { m: 512, n: 512, k: 65, batch: 1 }];
  assertEquals([gemmClass(small), gemmClass(large)], ["≤32 ≤4096 ≤64", ">64 ≤262144 ≤512"]);
  const gemm = tuningOf([{ name: gemmClass(small), ms: { "tile-64": 1 }, best: "tile-64" }]);
  const gpu = await testGpu({ gemm });
  assertEquals(variantOf(gpu, small), "tile-64");
  assertEquals(variantOf(gpu, large), usualGemm(gpu.software, large));
});

Deno.test("without tuning, GPUs get larger tiles for larger outputs", () => {
  const usual = (m: number, n: number, k = 512) => usualGemm(false, { m, n, k, batch: 1 });
  assertEquals([usual(4096, 24), usual(128, 128), usual(4096, 64)], ["tile-32", "tile-32", "tile-32"]);
  assertEquals([usual(8192, 64), usual(65536, 256, 1024)], ["tile-64", "tile-64"]);
  assertEquals([usual(1024, 1024), usual(1024, 1024, 1024)], ["tile-64x128", "tile-64-k2"]);
  assertEquals([usual(1024, 2048), usual(65536, 512), usual(2048, 2048, 1024)], [
    "tile-64x128",
    "tile-64x128",
    "tile-128",
  ]);
});

Deno.test("a batch-invariant GEMM gives a row the same bits whatever other rows there are, with every kernel", async () => {
  const [m, n, k] = [700, 400, 520];
  const kernels = ["tile-64-k2", "tile-64x128", "tile-128", "texture"] as const;
  for (const chosen of variants(kernels, "tile-64-k2", "tile-64x128")) {
    const gpu = await testGpu({ software: false, gemm: { [gemmClass({ m, n, k, batch: 1 })]: chosen } });
    using a = upload(gpu, randomNd([m, k], 1));
    using b = upload(gpu, randomNd([n, k], 2));
    const rows = async (m: number) => {
      using c = gpu.empty([m, n]);
      const operand = (tensor: Tensor, height: number) => ({ tensor, height, row: k, alongK: true });
      const problem = {
        m,
        n,
        k: [1, k],
        a: operand(a, m),
        b: operand(b, n),
        c: { tensor: c, row: n },
      } as const;
      batchInvariant(gpu, () => gemm(gpu, problem));
      return await c.read();
    };
    assertEquals((await rows(m)).slice(0, 10 * n), await rows(10), chosen);
  }
});
