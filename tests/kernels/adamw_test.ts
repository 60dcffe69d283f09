import { assertEquals, assertThrows } from "@std/assert";
import { adamw } from "../../kernels/adamw.ts";
import { testGpu } from "../gpu.ts";
import { adamw as oracle, adamwState } from "../oracle/adamw.ts";
import { nd, randomNd } from "../oracle/nd.ts";
import { assertClose, upload } from "./check_op.ts";
import { narrowGpu } from "./narrow.ts";

Deno.test("adamw", async () => {
  const cases = [[await testGpu(), [1, 63, 64, 65, 1000]], [await narrowGpu(), [20_000, 16_385]]] as const;
  for (const [gpu, sizes] of cases) {
    for (const n of sizes) {
      for (const [lr, weightDecay] of [[1e-2, 0], [0.3, 0.5], [-0.1, 0]] as const) {
        const liveBefore = gpu.pool.live;
        const betas: [number, number] = [0.9, 0.999];
        let expected = adamwState([randomNd([n], 1)]);
        using w = upload(gpu, expected.parameters[0]!);
        using m = gpu.zeros([n]);
        using v = gpu.zeros([n]);
        using factor = upload(gpu, nd([], [0.5]));
        for (let step = 1; step <= 3; step++) {
          const g = randomNd([n], 10 + step, 10 ** (step - 2));
          using dw = upload(gpu, g);
          adamw({ w, dw, m, v, factor }, { lr, betas, eps: 1e-8, weightDecay, step });
          const half = nd([n], g.data.map((x) => x / 2));
          expected = oracle(expected, [half], { groups: [{ members: [0], lr, weightDecay }], betas });
        }
        const name = `adamw ${n} ${lr} ${weightDecay}`;
        assertClose(`${name}: w`, await w.read(), expected.parameters[0]!.data);
        assertClose(`${name}: m`, await m.read(), expected.expAvg[0]!.data);
        assertClose(`${name}: v`, await v.read(), expected.expAvgSq[0]!.data);
        assertEquals(gpu.pool.live, liveBefore + 4);
      }
    }
  }
});

Deno.test("adamw changes nothing where the factor is 0", async () => {
  const gpu = await testGpu();
  using w = gpu.tensor([1, 2]);
  using dw = gpu.tensor([NaN, 1]);
  using m = gpu.tensor([3, 4]);
  using v = gpu.tensor([5, 6]);
  using factor = gpu.zeros([]);
  adamw({ w, dw, m, v, factor }, { lr: 1, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 1, step: 1 });
  const found = await Promise.all([w, m, v].map((tensor) => tensor.read()));
  assertEquals(found.map((values) => [...values]), [[1, 2], [3, 4], [5, 6]]);
});

Deno.test("adamw refuses what it cannot read", async () => {
  const gpu = await testGpu();
  gpu.scope(() => {
    const [w, dw, m, v, factor] = [...[2, 2, 2, 2].map((n) => gpu.zeros([n])), gpu.zeros([])] as const;
    const rates = { lr: 1, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, step: 1 } as const;
    const tensors = { w: w!, dw: dw!, m: m!, v: v!, factor: factor! };
    const fails = (changes: Partial<typeof tensors>, message: string) =>
      assertThrows(() => adamw({ ...tensors, ...changes }, rates), TypeError, message);
    fails({ dw: gpu.zeros([3]) }, "dw must be [2]: found [3]");
    fails({ factor: gpu.zeros([1]) }, "factor must be []: found [1]");
    fails({ v: gpu.zeros([2], "i32") }, "v must be f32: found i32");
  });
});
