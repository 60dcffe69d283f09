import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { setGemm } from "../../kernels/gemm/policy.ts";
import { matmul } from "../../kernels/matmul.ts";
import { Arena } from "../../tensor/arena.ts";
import { TexturePool } from "../../tensor/texture_pool.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { testGpu } from "../gpu.ts";
import { matmul as oracle } from "../oracle/matmul.ts";
import { randomNd } from "../oracle/nd.ts";
import { assertClose, upload } from "../kernels/check_op.ts";

async function pool(): Promise<TexturePool> {
  const { device } = await testGpu();
  return new TexturePool(device, () => () => {}, () => {}, () => {});
}

Deno.test("a surface that holds what is asked for is shared while it is lent, and lent again afterwards", async () => {
  const gpu = await testGpu();
  const surfaces = await pool();
  using x = gpu.zeros([64]);
  const content = { storage: x.storage, dtype: "f32", version: x.storage.version, layout: "line" } as const;
  const first = surfaces.take(4, 4, content);
  const second = surfaces.take(4, 4, { ...content });
  assertEquals([first.held, second.held, second.surface.id], [false, true, first.surface.id]);
  assertEquals(surfaces.live, 1);
  surfaces.give(first.surface);
  assertEquals(surfaces.live, 1);
  surfaces.give(second.surface);
  assertEquals(surfaces.live, 0);
  assert(surfaces.take(4, 4, content).held);
  assertNotEquals(surfaces.take(4, 4, { ...content, layout: "rows" }).surface.id, first.surface.id);
});

Deno.test("surfaces whose content is stale are filled anew in the order they were made in", async () => {
  const gpu = await testGpu();
  const surfaces = await pool();
  const tensors = [1, 2, 3].map(() => gpu.zeros([64]));
  const contentOf = (i: number) => {
    return {
      storage: tensors[i]!.storage,
      dtype: "f32",
      version: tensors[i]!.storage.version,
      layout: "line",
    } as const;
  };
  const lent = tensors.map((_, i) => surfaces.take(4, 4, contentOf(i)).surface);
  for (const surface of lent.toReversed()) surfaces.give(surface);
  const fresh = contentOf(1);
  gpu.copy(tensors[1]!, tensors[0]!); // a new version
  tensors[2]!.dispose(); // gone
  using y = gpu.zeros([64]);
  const other = { storage: y.storage, dtype: "f32", version: y.storage.version, layout: "line" } as const;
  const taken = [1, 2, 3].map((n) => surfaces.take(4, 4, { ...other, layout: `line ${n}` }).surface.id);
  assertEquals(taken.slice(0, 2), [lent[0]!.id, lent[2]!.id]);
  assert(!lent.some(({ id }) => id === taken[2]), "what may still be wanted was overwritten");
  assertEquals(surfaces.take(4, 4, fresh), { surface: lent[1]!, held: true });
  for (const tensor of tensors.slice(0, 2)) tensor.dispose();
});

Deno.test("weights in an arena are copied to a surface once, all of them", async () => {
  const gpu = await requestGpu();
  setGemm(gpu, "texture");
  const shapes = [[8, 12], [12, 20], [20, 4], [4, 8]];
  const arena = new Arena(gpu, shapes);
  const weights = shapes.map((shape, i) => randomNd(shape, i + 1));
  weights.forEach((w, i) => arena.write(i, upload(gpu, w)));
  let copies = 0;
  const copy = gpu.copyToTexture.bind(gpu);
  gpu.copyToTexture = (from, to, rows) => {
    if (rows.rows * rows.texels > 0) copies++;
    copy(from, to, rows);
  };
  for (const [i, w] of weights.slice(0, 3).entries()) {
    const y = matmul(arena.slots[i]!, arena.slots[i + 1]!);
    assertClose(`product ${i}`, await y.read(), oracle(w, weights[i + 1]!).data);
  }
  assertEquals(copies, 1);
  gpu.destroy();
});
