import { assertEquals } from "@std/assert";
import { uniform } from "../../kernels/uniform.ts";
import { streamParams, uniformAt } from "../../random/philox.ts";
import { testGpu } from "../gpu.ts";
import { philox as oracle, uniforms } from "../oracle/uniform.ts";

const stream = { seed: 0xdeadbeef, purpose: "dropout", step: 12345 };

Deno.test("uniform draws the same bits on the device, the host and the oracle", async () => {
  const small = await testGpu({ limits: { bindingBytes: 65536, workgroups: 7 } });
  for (const [gpu, sizes] of [[await testGpu(), [0, 1, 3, 4, 255, 257, 1000]], [small, [40001]]] as const) {
    for (const n of sizes) {
      const liveBefore = gpu.pool.live;
      const y = uniform(gpu, [n], stream);
      const found = await y.read();
      const { seed, purpose, step } = streamParams(stream);
      const onHost = Float32Array.from({ length: n }, (_, i) => uniformAt(i, stream));
      const expected = Float32Array.from(
        { length: n },
        (_, i) => uniforms(oracle([i >>> 2, 0, step, 0], [seed, purpose]))[i & 3]!,
      );
      assertEquals(found.findIndex((u, i) => u !== onHost[i] || u !== expected[i]), -1, `${n} elements`);
      y.dispose();
      assertEquals(gpu.pool.live, liveBefore);
    }
  }
});
