import { assert, assertEquals, assertRejects } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { encodeCheckpoint } from "../../../model/checkpoint/write.ts";
import { encodeConfig } from "../../../model/config_encode.ts";
import { fetchFiles } from "../../../model/inference/fetch_files.ts";
import { loadModel } from "../../../model/inference/load_model.ts";
import { testGpu } from "../../gpu.ts";
import { names, withHub } from "../hub/with_hub.ts";
import { frenchTensors, multilingualFiles, TOKENS } from "./multilingual.ts";

const files = multilingualFiles();

Deno.test("the adapter of a language replaces tensors of the layers' adapters and the head", async () => {
  const english = await readCheckpoint({ files });
  const french = await readCheckpoint({ files }, { language: "fra" });
  assertEquals([english.language, french.language], [undefined, "fra"]);
  assertEquals([english.config.vocab_size, french.config.vocab_size], [9, 11]);
  assertEquals([...french.tensors.keys()], [...english.tensors.keys()]);
  const adapter = frenchTensors();
  for (const [name, weight] of french.tensors) {
    const replaced = adapter.get(name) ?? adapter.get(`wav2vec2.${name}`);
    if (!replaced) assertEquals(weight, english.tensors.get(name), name);
    else {assertEquals(
        new Uint8Array(weight.data.buffer, weight.data.byteOffset).slice(0, 8),
        replaced.data.slice(0, 8),
      );}
  }
  // Written, it is a model of French alone.
  const written = {
    "config.json": new TextEncoder().encode(encodeConfig(french.config)),
    "model.safetensors": encodeCheckpoint(french),
  };
  const again = await readCheckpoint({ files: written });
  assertEquals([...again.tensors], [...french.tensors]);
});

Deno.test("a loaded model has the vocabulary of its language", async () => {
  const gpu = await testGpu();
  using english = await loadModel({ files }, { gpu });
  using french = await loadModel({ files }, { gpu, language: "fra" });
  assertEquals(english.tokenizer!.tokens, TOKENS.eng);
  assertEquals(french.tokenizer!.tokens, TOKENS.fra);
  assertEquals(JSON.parse(french.files["vocab.json"]!)["é"], 9);
  assertEquals(JSON.parse(french.files["tokenizer_config.json"]!), { do_lower_case: false });
});

for (
  const [what, changed, language, message] of [
    [
      "an unknown language",
      {},
      "deu",
      "an adapter of deu is required: adapter.deu.safetensors is missing, there are fra",
    ],
    ["a name that is a path", {}, "../fra", "a language must be a name such as fra: ../fra"],
    [
      "a model without adapters",
      {
        "config.json": new TextEncoder().encode(
          new TextDecoder().decode(files["config.json"]).replace(
            '"adapter_attn_dim": 5',
            '"adapter_attn_dim": null',
          ),
        ),
      },
      "fra",
      "a model with a language must have adapters: adapter_attn_dim is absent",
    ],
    [
      "an adapter that is cut short",
      { "adapter.fra.safetensors": files["adapter.fra.safetensors"]!.slice(0, 900) },
      "fra",
      "adapter.fra.safetensors",
    ],
  ] as const
) {
  Deno.test(`readCheckpoint refuses ${what}`, async () => {
    const error = await assertRejects(() =>
      readCheckpoint({ files: { ...files, ...changed }, name: "m" }, { language })
    );
    const { message: found } = error as Error;
    assert(found.startsWith("Cannot ") && found.includes(message) && !found.includes("\n"), found);
  });
}

Deno.test("the hub's cache gets the adapter of a language when it is asked for", () =>
  withHub(async ({ get, hub }) => {
    const folder = await get();
    assert(!names(folder).includes("adapter.fra.safetensors"));
    assertEquals(await get({ language: "fra" }), folder);
    assert(names(folder).includes("adapter.fra.safetensors"));
    const offline = { language: "fra", offline: true };
    assertEquals(await get(offline), folder);
    await assertRejects(() => get({ ...offline, language: "deu" }), Error, "it is not in the cache");
    await assertRejects(
      () => get({ language: "deu" }),
      Error,
      "an adapter of deu is required: adapter.deu.safetensors is missing, there are fra",
    );
    // The base weights are fetched once.
    assertEquals(hub.requests.filter((request) => request.startsWith("GET large")).length, 2);
  }, files));

Deno.test("the files behind a URL include the adapter of a language", async () => {
  const bytes = (name: string) => files[name as keyof typeof files];
  await using server = Deno.serve({ port: 0, onListen() {} }, ({ url }) => {
    const found = bytes(new URL(url).pathname.slice(1));
    return found ? new Response(found) : new Response(null, { status: 404 });
  });
  const url = new URL(`http://127.0.0.1:${server.addr.port}/`);
  assert(!("adapter.fra.safetensors" in (await fetchFiles(url)).files));
  assert("adapter.fra.safetensors" in (await fetchFiles(url, { language: "fra" })).files);
});
