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

Deno.test("a texture that holds the content is shared while it is lent, and lent again afterwards", async () => {
  const gpu = await testGpu();
  const textures = await pool();
  using x = gpu.zeros([64]);
  const content = { storage: x.storage, dtype: "f32", version: x.storage.version, layout: "line" } as const;
  const first = textures.take(4, 4, content);
  const second = textures.take(4, 4, { ...content });
  assertEquals([first.held, second.held, second.texture.id], [false, true, first.texture.id]);
  assertEquals(textures.live, 1);
  textures.give(first.texture);
  assertEquals(textures.live, 1);
  textures.give(second.texture);
  assertEquals(textures.live, 0);
  assert(textures.take(4, 4, content).held);
  assertNotEquals(textures.take(4, 4, { ...content, layout: "rows" }).texture.id, first.texture.id);
});

Deno.test("textures whose content is stale are filled anew, the oldest first", async () => {
  const gpu = await testGpu();
  const textures = await pool();
  const tensors = [1, 2, 3].map(() => gpu.zeros([64]));
  const contentOf = (i: number) => {
    return {
      storage: tensors[i]!.storage,
      dtype: "f32",
      version: tensors[i]!.storage.version,
      layout: "line",
    } as const;
  };
  const lent = tensors.map((_, i) => textures.take(4, 4, contentOf(i)).texture);
  for (const texture of lent.toReversed()) textures.give(texture);
  const fresh = contentOf(1);
  gpu.copy(tensors[1]!, tensors[0]!); // a new version
  tensors[2]!.dispose(); // gone
  using y = gpu.zeros([64]);
  const other = { storage: y.storage, dtype: "f32", version: y.storage.version, layout: "line" } as const;
  const taken = [1, 2, 3].map((n) => textures.take(4, 4, { ...other, layout: `line ${n}` }).texture.id);
  assertEquals(taken.slice(0, 2), [lent[0]!.id, lent[2]!.id]);
  assert(!lent.some(({ id }) => id === taken[2]), "content that is not stale was overwritten");
  assertEquals(textures.take(4, 4, fresh), { texture: lent[1]!, held: true });
  for (const tensor of tensors.slice(0, 2)) tensor.dispose();
});

Deno.test("all weights in an arena are copied to a texture once", async () => {
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
    assertClose(`GEMM ${i}`, await y.read(), oracle(w, weights[i + 1]!).data);
  }
  assertEquals(copies, 1);
  gpu.destroy();
});
