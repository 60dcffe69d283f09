import { assert, assertEquals } from "@std/assert";
import { scale } from "../../kernels/scale.ts";
import { Weights } from "../../model/weights.ts";
import { noGrad } from "../../tensor/tape.ts";
import { testGpu } from "../gpu.ts";

const gpu = await testGpu();

Deno.test("tensors computed from weights are cached until the weights change", async () => {
  const live = gpu.pool.live;
  const weights = new Weights(gpu);
  weights.add("w", [2], Float32Array.of(1, 2));
  const w = weights.get("w");
  let made = 0;
  const twice = () =>
    weights.cached("twice", [w], () => {
      made++;
      return scale(w, 2);
    });
  gpu.scope(() => void twice()); // it outlives the scope
  assertEquals([await twice().read(), made], [Float32Array.of(2, 4), 1]);

  using other = gpu.tensor([3, 5]);
  gpu.copy(other, w);
  assertEquals([await twice().read(), made], [Float32Array.of(6, 10), 2]);
  assertEquals([twice() === twice(), made], [true, 2]);

  w.requiresGrad = true;
  gpu.scope(() => {
    const recorded = twice();
    assert(recorded.needsGrad && recorded !== twice());
  });
  assertEquals(made, 4);
  noGrad(gpu, () => assertEquals(twice() === twice(), true));
  assertEquals(made, 5);
  weights.dispose();
  other.dispose();
  assertEquals(gpu.pool.live, live);
});
