// The files with which transformers loads compact models. test:interop loads them with transformers.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { writeCheckpoint } from "../../../model/checkpoint/write.ts";
import { SpeechModel } from "../../../model/speech_model.ts";
import { padModel } from "../../../model/transformers/pad.ts";
import { isStock, pythonFile } from "../../../model/transformers/python_file.ts";
import { compact } from "../../../prune/surgery.ts";
import type { Gpu } from "../../../tensor/gpu.ts";
import { assertClose } from "../../kernels/check_op.ts";
import { testGpu } from "../../gpu.ts";

const units = (...indices: number[]) => ({ indices, gates: indices.map(() => 1) });

async function smallModel() {
  const model = await readCheckpoint("tests/testdata/base");
  const choice = new Map([
    ["conv.2", units(1)],
    ["heads.0", units()],
    ["heads.1", units(0, 2)],
    ["ffn.1", units()],
    ["ffn.2", units(3, 4, 5)],
  ]);
  return { ...model, ...compact(model, choice) };
}

async function logitsOf(gpu: Gpu, model: Awaited<ReturnType<typeof smallModel>>): Promise<Float32Array> {
  using loaded = new SpeechModel(gpu, model);
  const samples = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i / 5000));
  const x = gpu.tensor(samples, [1, 4000]);
  const { logits, hidden } = loaded.forward({ samples: x, lengths: null });
  return await (logits ?? hidden).read() as Float32Array;
}

Deno.test("a padded model computes what the compact one does, in the sizes of stock classes", async () => {
  const gpu = await testGpu();
  const small = await smallModel();
  const padded = padModel(small);
  assertEquals([isStock(small.config), isStock(padded.config)], [false, true]);
  assertEquals(padded.config.conv_dim, small.config.conv_dim);
  const [a, b] = [await logitsOf(gpu, small), await logitsOf(gpu, padded)];
  assertClose("padded", b, a, { rtol: 1e-6, atol: 1e-6 });
});

Deno.test("a model with a scale of channels is not padded", async () => {
  const small = await smallModel();
  const scaled = { ...small, config: { ...small.config, feature_scale: true } };
  assertThrows(
    () => padModel(scaled),
    TypeError,
    "Cannot pad the model as stock classes have no scale of channels",
  );
});

Deno.test("a compact model has a Python file and the map to it, a dense one has neither", async () => {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    const small = await smallModel();
    await writeCheckpoint(`${folder}/compact`, small);
    await writeCheckpoint(`${folder}/padded`, padModel(small));
    const { auto_map } = JSON.parse(await Deno.readTextFile(`${folder}/compact/config.json`));
    const python = await Deno.readTextFile(`${folder}/compact/modeling_espalier.py`);
    for (const name of Object.values(auto_map) as string[]) {
      const [file, cls] = name.split(".");
      assertEquals(file, "modeling_espalier");
      assert(python.includes(`class ${cls}(Compact, transformers.${cls}):`), cls);
    }
    const names = [...Deno.readDirSync(`${folder}/padded`)].map(({ name }) => name).sort();
    assertEquals(names, ["config.json", "model.safetensors"]);
    const config = JSON.parse(await Deno.readTextFile(`${folder}/padded/config.json`));
    assertEquals([config.auto_map, config.per_layer_config], [undefined, undefined]);
    assertEquals(pythonFile(padModel(small).config), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
