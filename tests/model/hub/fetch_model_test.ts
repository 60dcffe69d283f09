import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  fetchModel,
  HubError,
  type HubOptions,
  type HubProgress,
  isModelId,
} from "../../../model/hub/fetch_model.ts";
import { defaultCacheFolder } from "../../../model/hub/cache.ts";
import { hashOf, type Hub, serveHub } from "./hub_server.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => i * i % 251);
const FILES = {
  "config.json": encode('{"model_type":"wav2vec2"}'),
  "vocab.json": encode('{"<pad>":0}'),
  "model.safetensors": weights,
  "README.md": encode("not needed"),
  "pytorch_model.bin": encode("never loaded"),
};

// Sets environment variables during `use`; undefined unsets one.
async function withEnv(
  variables: Record<string, string | undefined>,
  use: () => Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) Deno.env.delete(name);
    else Deno.env.set(name, value);
  };
  for (const [name, value] of Object.entries(variables)) set(name, value);
  try {
    await use();
  } finally {
    for (const [name, value] of before) set(name, value);
  }
}

// Starts a hub with an empty cache; `get` downloads the model.
async function withHub(
  use: (given: { hub: Hub; cache: string; get: (options?: HubOptions) => Promise<string> }) => Promise<void>,
  files: Record<string, Uint8Array<ArrayBuffer>> = FILES,
): Promise<void> {
  await using hub = serveHub(files);
  const cache = await Deno.makeTempDir();
  const get = (options: HubOptions = {}) => {
    return fetchModel("org/name", {
      endpoint: hub.endpoint,
      cacheFolder: cache,
      token: "",
      retryDelay: 1,
      ...options,
    });
  };
  try {
    await use({ hub, cache, get });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

const model = "models--org--name";
const large = hashOf(weights, true);
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const downloads = (hub: Hub) => hub.requests.filter((request) => request.startsWith("GET large"));

async function failsWith(run: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await assertRejects(run, HubError);
  assert(pattern.test(error.message), error.message);
  assert(!error.message.includes("\n"));
}

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

Deno.test("a broken connection is resumed", async () => {
  await withHub(async ({ hub, get }) => {
    hub.cuts.push(100_000, 50_000);
    const folder = await get();
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
    const ranges = downloads(hub).map((request) => Number(/bytes=(\d+)/.exec(request)?.[1] ?? 0));
    assertEquals(ranges.length, 3);
    assert(ranges[1]! > 0 && ranges[1]! <= 100_000 && ranges[2]! > ranges[1]!, `${ranges}`);
  });
});

Deno.test("an aborted download is resumed by the next call", async () => {
  await withHub(async ({ hub, cache, get }) => {
    hub.cuts.push(1000, ...new Array(10).fill(0));
    await failsWith(() => get(), /^Cannot download model\.safetensors of org\/name: connection lost, .+/);
    const part = `${cache}/${model}/blobs/${large}.incomplete`;
    assertEquals(Deno.statSync(part).size, 1000);
    assert(!names(`${cache}/${model}`).includes("refs"));
    hub.cuts.length = 0;
    hub.requests.length = 0;
    const folder = await get();
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
    assertEquals(downloads(hub), ["GET large model.safetensors bytes=1000-"]);
    assert(!names(`${cache}/${model}/blobs`).some((name) => name.endsWith(".incomplete")));
  });
});

Deno.test("a server without ranges starts again", async () => {
  await withHub(async ({ hub, get }) => {
    hub.ranges = false;
    hub.cuts.push(1000);
    const folder = await get();
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
  });
});

Deno.test("a partial file of another version is detected and replaced", async () => {
  await withHub(async ({ hub, cache, get }) => {
    await Deno.mkdir(`${cache}/${model}/blobs`, { recursive: true });
    const part = `${cache}/${model}/blobs/${large}.incomplete`;
    for (const length of [5000, weights.length, weights.length + 7]) {
      await Deno.writeFile(part, new Uint8Array(length).fill(7));
      const folder = await get();
      assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
      await Deno.remove(`${cache}/${model}/blobs/${large}`);
    }
    assert(downloads(hub).length >= 3);
  });
});

Deno.test("a wrong hash is refused and the file is deleted", async () => {
  await withHub(async ({ hub, cache, get }) => {
    for (const [file, digits] of [["model.safetensors", 64], ["vocab.json", 40]] as const) {
      hub.hashes.clear();
      hub.hashes.set(file, "0".repeat(digits));
      const message =
        `^Cannot download ${file} of org/name as its hash must be 0{${digits}}: it is [0-9a-f]{${digits}}$`;
      await failsWith(() => get(), new RegExp(message));
      assert(!names(`${cache}/${model}/blobs`).includes("0".repeat(digits)));
      assertEquals(Deno.statSync(`${cache}/${model}/blobs/${"0".repeat(digits)}.incomplete`).size, 0);
      assert(!names(`${cache}/${model}`).includes("refs"));
    }
    hub.hashes.set("vocab.json", "opaque");
    await failsWith(() => get(), /from http:.+: the hash is opaque$/);
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

Deno.test("the token is sent to the hub and to no other server", async () => {
  await withHub(async ({ hub, cache, get }) => {
    hub.token = "hf_secret";
    await failsWith(
      () => get(),
      /^Cannot download org\/name: not found at http:.+, or private \(set HF_TOKEN\): HTTP 401$/,
    );
    const folder = await get({ token: "hf_secret" });
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
    assertEquals(hub.leaked, []);
    await Deno.remove(`${cache}/${model}`, { recursive: true });
    const { endpoint } = hub;
    const bare = () => fetchModel("org/name", { cacheFolder: cache });
    await withEnv(
      { HF_ENDPOINT: endpoint + "/", HF_TOKEN: "hf_secret", HF_HUB_OFFLINE: undefined },
      async () => {
        assertEquals(await bare(), folder);
      },
    );
    // The file that `hf auth login` writes.
    await Deno.writeTextFile(`${cache}/token`, "hf_secret\n");
    const unset = { HF_TOKEN: undefined, HF_TOKEN_PATH: undefined, HF_HUB_OFFLINE: undefined };
    await withEnv(
      { ...unset, HF_ENDPOINT: endpoint, HF_HOME: cache },
      async () => assertEquals(await bare(), folder),
    );
  });
});

Deno.test("errors of the hub are one line with the remedy", async () => {
  await withHub(async ({ hub, get }) => {
    const refused: [ResponseInit, RegExp][] = [
      [{ status: 404 }, /: not found at http:.+, or private \(set HF_TOKEN\): HTTP 404$/],
      [{ status: 404, headers: { "x-error-message": "Repo gone" } }, /: HTTP 404, Repo gone$/],
      [{ status: 401 }, /: http:.+ denies access \(set HF_TOKEN\): HTTP 401$/],
      [{ status: 403 }, /: http:.+ denies access \(set HF_TOKEN\): HTTP 403$/],
      [
        { status: 403, headers: { "x-error-code": "GatedRepo" } },
        /accept the licence at http:.+ first \(set HF_TOKEN\): HTTP 403$/,
      ],
      [{ status: 429 }, /: http:.+ answers HTTP 429$/],
      [{ status: 418 }, /: http:.+ answers HTTP 418$/],
      [{ status: 200 }, /from http:.+: the response is not a list of files$/],
      [
        { status: 302, headers: { location: "/api/models/org/name/revision/main" } },
        /from http:.+: more than 10 redirects$/,
      ],
    ];
    for (const [init, message] of refused) {
      hub.answer = () => new Response("<html>", init);
      await failsWith(() => get(), message);
    }
    hub.answer = null;
    await failsWith(() => get({ revision: "v2" }), /^Cannot download org\/name at v2: not found at /);
    await failsWith(() => get({ endpoint: "huggingface" }), /HF_ENDPOINT must be a URL: huggingface$/);
  });
});

Deno.test("PyTorch's weights are downloaded where there are no safetensors; without weights a model is refused", async () => {
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

Deno.test("a stalled server and a cache that cannot be written are errors", async () => {
  await withHub(async ({ cache, get }) => {
    await Deno.writeTextFile(`${cache}/file`, "");
    await failsWith(
      () => get({ cacheFolder: `${cache}/file` }),
      /^Cannot write .+\/blobs\/[0-9a-f]{40}: .+/,
    );
  });
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  await failsWith(
    () =>
      fetchModel("org/name", {
        endpoint: `http://127.0.0.1:${port}`,
        cacheFolder: "/nowhere",
        token: "",
        timeout: 100,
      }),
    /cannot be reached, no response in 0\.1 s$/,
  );
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

Deno.test("the cache folder is that of huggingface_hub", async () => {
  const unset = {
    HF_HUB_CACHE: undefined,
    HUGGINGFACE_HUB_CACHE: undefined,
    HF_HOME: undefined,
    XDG_CACHE_HOME: undefined,
  };
  const folderWith = async (variables: Record<string, string>) => {
    let folder = "";
    await withEnv({ ...unset, HOME: "/home/me", ...variables }, async () => {
      folder = await Promise.resolve(defaultCacheFolder());
    });
    return folder;
  };
  assertEquals(await folderWith({}), "/home/me/.cache/huggingface/hub");
  assertEquals(await folderWith({ XDG_CACHE_HOME: "/x" }), "/x/huggingface/hub");
  assertEquals(await folderWith({ HF_HOME: "/h", XDG_CACHE_HOME: "/x" }), "/h/hub");
  assertEquals(await folderWith({ HF_HUB_CACHE: "~/c", HF_HOME: "/h" }), "/home/me/c");
});

Deno.test("two concurrent downloads share one", async () => {
  await withHub(async ({ hub, get }) => {
    const [one, two] = await Promise.all([get(), get()]);
    assertEquals(one, two);
    assertEquals(downloads(hub).length, 1);
    assertEquals(Deno.readFileSync(`${one}/model.safetensors`), weights);
  });
});
