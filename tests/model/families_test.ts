// Models that transformers saved against the outputs that it computed; `./espalier test:interop` compares all of them.
import { assert, assertEquals } from "@std/assert";
import { encodeCheckpoint } from "../../model/checkpoint/write.ts";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { testGpu } from "../gpu.ts";
import { BOUND, errorOfModel } from "../interop/compare.ts";

const root = new URL("../testdata/families/", import.meta.url).pathname;

for (const { name } of Deno.readDirSync(root)) {
  Deno.test(`${name} agrees with transformers, and is written byte for byte`, async () => {
    const gpu = await testGpu();
    const live = gpu.pool.live;
    const error = await errorOfModel(gpu, root + name);
    assert(error <= BOUND, `off by ${error} of the largest value`);
    assertEquals(gpu.pool.live, live, "live buffers");
    const written = encodeCheckpoint(await readCheckpoint(root + name));
    assertEquals(written, await Deno.readFile(`${root}${name}/model.safetensors`));
  });
}
