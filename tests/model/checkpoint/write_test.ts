import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { encodeCheckpoint, writeCheckpoint } from "../../../model/checkpoint/write.ts";
import { parseSafetensors } from "../../../model/checkpoint/safetensors.ts";
import { bytesOf, configBytes, files, original, path, renamed } from "./checkpoint_files.ts";

Deno.test("a weight whose shape and data disagree is not written", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const checkpoint = await readCheckpoint(path("base"));
    const tensors = new Map(checkpoint.tensors);
    const [name, { shape, data }] = [...tensors][0]!;
    tensors.set(name, { shape, data: data.slice(1) });
    await assertRejects(() => writeCheckpoint(folder, { ...checkpoint, tensors }), TypeError, "must agree");
    assertEquals(await Array.fromAsync(Deno.readDir(folder)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the header of another program is preserved", async () => {
  const bytes = original("base");
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  // As Python formats it, with the keys in reverse order.
  const header = bytesOf(
    JSON.stringify(Object.fromEntries(Object.entries(json).reverse())).replaceAll('":', '": '),
  );
  const foreign = new Uint8Array([...new Uint8Array(8), ...header, ...bytes.subarray(8 + length)]);
  new DataView(foreign.buffer).setBigUint64(0, BigInt(header.length), true);
  const read = await readCheckpoint({
    files: { "config.json": configBytes("base"), "model.safetensors": foreign },
  });
  assertEquals(encodeCheckpoint(read), foreign);
  // The header changes with a shape.
  const tensors = new Map(read.tensors);
  tensors.set("lm_head.bias", { shape: [2], data: Float32Array.of(1, 2) });
  assertEquals(
    parseSafetensors(encodeCheckpoint({ ...read, tensors })).tensors.get("lm_head.bias")?.shape,
    [2],
  );
});

Deno.test("weights written as F16 are rounded to nearest, in half the bytes", async () => {
  const original = files((entries) => entries);
  const source = await readCheckpoint(original);
  const bytes = encodeCheckpoint(source, { dtype: "F16" });
  const written = parseSafetensors(bytes);
  assert([...written.tensors.values()].every(({ dtype }) => dtype === "F16"));
  assertLess(bytes.length, 0.6 * encodeCheckpoint(source).length);
  const read = await readCheckpoint({
    name: "half",
    files: { ...original.files, "model.safetensors": bytes },
  });
  for (const [name, { data }] of source.tensors) {
    assertEquals(read.tensors.get(name)!.data, Float32Array.from(data, Math.f16round), name);
  }
});

Deno.test("new tensors are named as the others of the file", async () => {
  const read = await readCheckpoint(
    files((entries) => renamed(entries, (name) => name.replace("wav2vec2.", ""))),
  );
  const tensors = new Map(read.tensors).set("encoder.extra", { shape: [1], data: Float32Array.of(1) });
  const names = [...parseSafetensors(encodeCheckpoint({ ...read, tensors })).tensors.keys()];
  assertEquals(names.at(-1), "encoder.extra");
  tensors.delete("encoder.layer_norm.bias");
  const fewer = [...parseSafetensors(encodeCheckpoint({ ...read, tensors })).tensors.keys()];
  assertEquals(fewer, names.filter((name) => name !== "encoder.layer_norm.bias"));
});

Deno.test("a failed write leaves the old model", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const read = await readCheckpoint(path("base"));
    await Deno.mkdir(`${folder}/model.safetensors`);
    const thrown = await assertRejects(() => writeCheckpoint(folder, read), Error);
    assertStringIncludes(thrown.message, `Cannot write ${folder}/model.safetensors as the system refuses: `);
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 1);
    await Deno.writeTextFile(`${folder}/file`, "");
    await assertRejects(() => writeCheckpoint(`${folder}/file`, read), Error, "as the system refuses: ");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
