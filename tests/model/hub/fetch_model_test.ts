import { assert, assertEquals, assertRejects } from "@std/assert";
import { fetchModel, type HubProgress, isModelId } from "../../../model/hub/fetch_model.ts";
import { hashOf } from "./hub_server.ts";
import { withEnv } from "../../env.ts";
import { downloads, encode, failsWith, FILES, large, model, names, weights, withHub } from "./with_hub.ts";

Deno.test("a model is downloaded into the layout of the Hugging Face cache", async () => {
  await withHub(async ({ hub, cache, get }) => {
    const seen: HubProgress[] = [];
    const folder = await get({ onProgress: (progress) => seen.push(progress) });
    assertEquals(folder, `${cache}/${model}/snapshots/${hub.commit}`);
    assertEquals(names(folder), ["config.json", "model.safetensors", "vocab.json"]);
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
    assertEquals(Deno.readTextFileSync(`${folder}/config.json`), '{"model_type":"wav2vec2"}');
    assertEquals(Deno.readTextFileSync(`${cache}/${model}/refs/main`), hub.commit);
    const small = ["config.json", "vocab.json"].map((file) => hashOf(FILES[file as "vocab.json"], false));
    assertEquals(names(`${cache}/${model}/blobs`), [...small, large].sort());
    assertEquals(Deno.readLinkSync(`${folder}/model.safetensors`), `../../blobs/${large}`);
    const last = seen.at(-1)!;
    assertEquals(last, { file: "model.safetensors", received: weights.length, size: weights.length });
    assert(seen.some(({ file }) => file === "vocab.json"));
    // The second time, only the list of files is requested.
    hub.requests.length = 0;
    assertEquals(await get(), folder);
    assertEquals(hub.requests.filter((request) => request.startsWith("GET")), [
      "GET /api/models/org/name/revision/main",
    ]);
    // A commit never changes.
    hub.requests.length = 0;
    assertEquals(await get({ revision: hub.commit }), folder);
    assertEquals(hub.requests, []);
  });
});

Deno.test("the cache is used offline and when the hub is down", async () => {
  await withHub(async ({ hub, cache, get }) => {
    await failsWith(
      () => get({ offline: true }),
      /^Cannot load org\/name offline: it is not in the cache .+models--org--name$/,
    );
    const folder = await get();
    hub.requests.length = 0;
    assertEquals(await get({ offline: true }), folder);
    await withEnv({ HF_HUB_OFFLINE: "1" }, async () => assertEquals(await get(), folder));
    assertEquals(hub.requests, []);
    assertEquals(await get({ endpoint: "http://127.0.0.1:1" }), folder);
    hub.answer = () => new Response("", { status: 503 });
    assertEquals(await get(), folder);
    // The cache is not used if weights are missing.
    await Deno.remove(`${folder}/model.safetensors`);
    await failsWith(() => get({ offline: true }), /offline: it is not in the cache/);
    await failsWith(() => get(), /^Cannot download org\/name: http:.+ answers HTTP 503$/);
    await failsWith(
      () => get({ endpoint: "http://127.0.0.1:1" }),
      /^Cannot download org\/name: 127\.0\.0\.1:1 cannot be reached, .+/,
    );
    assert(names(cache).includes(model));
  });
});

Deno.test("a new commit downloads changed files, and the old one stays", async () => {
  await withHub(async ({ hub, get }) => {
    const old = await get();
    hub.commit = "f".repeat(40);
    hub.requests.length = 0;
    const folder = await get();
    assert(folder !== old && folder.endsWith(hub.commit));
    assertEquals(downloads(hub), []);
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
    assertEquals(await get({ offline: true }), folder);
  });
});

Deno.test("sharded weights are downloaded with their index", async () => {
  const index = {
    weight_map: { a: "model-1.safetensors", b: "model-2.safetensors", c: "model-1.safetensors" },
  };
  const files = {
    "config.json": FILES["config.json"],
    "model.safetensors.index.json": encode(JSON.stringify(index)),
    "model-1.safetensors": weights,
    "model-2.safetensors": weights.subarray(1),
  };
  await withHub(async ({ get }) => {
    const folder = await get();
    assertEquals(names(folder), Object.keys(files).sort());
    assertEquals(await get({ offline: true }), folder);
    await Deno.remove(`${folder}/model-2.safetensors`);
    await failsWith(() => get({ offline: true }), /offline: it is not in the cache/);
  }, files);
  const escape = {
    ...files,
    "model.safetensors.index.json": encode('{"weight_map":{"a":"../../x.safetensors"}}'),
  };
  await withHub(async ({ get }) => {
    await failsWith(() => get(), /must list the files of the weights: "\.\.\/\.\.\/x\.safetensors"$/);
  }, escape);
});

Deno.test("PyTorch weights are downloaded if there are no safetensors; a model without weights is refused", async () => {
  const { "config.json": config } = FILES;
  await withHub(async ({ get }) => {
    const folder = await get();
    assertEquals(await Deno.readFile(`${folder}/pytorch_model.bin`), weights);
  }, { "config.json": config, "pytorch_model.bin": weights, "tf_model.h5": config });
  await withHub(async ({ get }) => {
    await failsWith(() => get(), /model\.safetensors or pytorch_model\.bin is required: both are missing$/);
  }, { "config.json": config });
  await withHub(async ({ get }) => {
    await failsWith(() => get(), /config\.json is required: it is missing$/);
  }, { "model.safetensors": weights });
});

Deno.test("malformed names and revisions are refused", async () => {
  assertEquals(["gpt2", "facebook/wav2vec2-base-100h", "a.b/c_d"].map(isModelId), [true, true, true]);
  assertEquals(
    ["", "./model", "/tmp/model", "a/b/c", "a--b", "a/..", "a b", "-a"].map(isModelId),
    new Array(8).fill(false),
  );
  const error = await assertRejects(() => fetchModel("../x"), RangeError);
  assertEquals(error.message, "Cannot download as a model name must be ORGANISATION/NAME: ../x");
  for (const revision of ["", "../../x", "a b", "/x"]) {
    await assertRejects(
      () => fetchModel("org/name", { revision }),
      RangeError,
      "a revision must be a branch, tag or commit",
    );
  }
});
