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

// Environment variables during `use`; those named as undefined are unset.
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

// A hub and an empty cache, and a way to get the model from one into the other.
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
    // Again: the list is asked for, no file.
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

Deno.test("a cut connection is taken up where it broke", async () => {
  await withHub(async ({ hub, get }) => {
    hub.cuts.push(100_000, 50_000);
    const folder = await get();
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
    const ranges = downloads(hub).map((request) => Number(/bytes=(\d+)/.exec(request)?.[1] ?? 0));
    assertEquals(ranges.length, 3);
    assert(ranges[1]! > 0 && ranges[1]! <= 100_000 && ranges[2]! > ranges[1]!, `${ranges}`);
  });
});

Deno.test("a download that was given up goes on with the next call", async () => {
  await withHub(async ({ hub, cache, get }) => {
    hub.cuts.push(1000, ...new Array(10).fill(0));
    await failsWith(() => get(), /^Cannot download model\.safetensors of org\/name as .+: .+/);
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

Deno.test("a server that cannot resume starts again", async () => {
  await withHub(async ({ hub, get }) => {
    hub.ranges = false;
    hub.cuts.push(1000);
    const folder = await get();
    assertEquals(Deno.readFileSync(`${folder}/model.safetensors`), weights);
  });
});

Deno.test("rests of another download are found by the hash and replaced", async () => {
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

Deno.test("a wrong hash is refused and nothing is kept", async () => {
  await withHub(async ({ hub, cache, get }) => {
    for (const [file, digits] of [["model.safetensors", 64], ["vocab.json", 40]] as const) {
      hub.hashes.clear();
      hub.hashes.set(file, "0".repeat(digits));
      const message =
        `^Cannot download ${file} of org/name as it must have the hash 0{${digits}}: it has [0-9a-f]{${digits}}$`;
      await failsWith(() => get(), new RegExp(message));
      assert(!names(`${cache}/${model}/blobs`).includes("0".repeat(digits)));
      assertEquals(Deno.statSync(`${cache}/${model}/blobs/${"0".repeat(digits)}.incomplete`).size, 0);
      assert(!names(`${cache}/${model}`).includes("refs"));
    }
    hub.hashes.set("vocab.json", "opaque");
    await failsWith(() => get(), /must tell its hash: opaque$/);
  });
});

Deno.test("what is cached is used offline and when the hub is down", async () => {
  await withHub(async ({ hub, cache, get }) => {
    await failsWith(
      () => get({ offline: true }),
      /^Cannot load org\/name as it must be in the cache while offline: .+models--org--name lacks it$/,
    );
    const folder = await get();
    hub.requests.length = 0;
    assertEquals(await get({ offline: true }), folder);
    await withEnv({ HF_HUB_OFFLINE: "1" }, async () => assertEquals(await get(), folder));
    assertEquals(hub.requests, []);
    assertEquals(await get({ endpoint: "http://127.0.0.1:1" }), folder);
    hub.answer = () => new Response("", { status: 503 });
    assertEquals(await get(), folder);
    // Not without its weights.
    await Deno.remove(`${folder}/model.safetensors`);
    await failsWith(() => get({ offline: true }), /must be in the cache while offline/);
    await failsWith(() => get(), /^Cannot download org\/name as http:.+ must answer: it says 503$/);
    await failsWith(
      () => get({ endpoint: "http://127.0.0.1:1" }),
      /^Cannot download org\/name as 127\.0\.0\.1:1 must be reachable: .+/,
    );
    assert(names(cache).includes(model));
  });
});

Deno.test("a new commit downloads what changed, and the old one stays", async () => {
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
    await failsWith(() => get({ offline: true }), /while offline/);
  }, files);
  const escape = {
    ...files,
    "model.safetensors.index.json": encode('{"weight_map":{"a":"../../x.safetensors"}}'),
  };
  await withHub(async ({ get }) => {
    await failsWith(() => get(), /must name the files of the weights: "\.\.\/\.\.\/x\.safetensors"$/);
  }, escape);
});

Deno.test("the token is shown to the hub and to nobody else", async () => {
  await withHub(async ({ hub, cache, get }) => {
    hub.token = "hf_secret";
    await failsWith(
      () => get(),
      /^Cannot download org\/name as http:.+ must have it: it does not, or not for you: 401$/,
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

Deno.test("refusals of the hub are one line that says what to do", async () => {
  await withHub(async ({ hub, get }) => {
    const refused: [ResponseInit, RegExp][] = [
      [{ status: 404 }, /as http:.+ must have it: it does not, or not for you: 404$/],
      [{ status: 404, headers: { "x-error-message": "Repo gone" } }, /: 404, Repo gone$/],
      [{ status: 401 }, /must allow it: no token is set \(HF_TOKEN\): 401$/],
      [{ status: 403 }, /must allow it: no token is set \(HF_TOKEN\): 403$/],
      [
        { status: 403, headers: { "x-error-code": "GatedRepo" } },
        /its licence must be accepted at http:.+: no token is set/,
      ],
      [{ status: 429 }, /must answer: it says 429$/],
      [{ status: 418 }, /must answer: it says 418$/],
      [{ status: 200 }, /must list its files: the answer is no list$/],
      [{ status: 302, headers: { location: "/api/models/org/name/revision/main" } }, /it sends on 10 times$/],
    ];
    for (const [init, message] of refused) {
      hub.answer = () => new Response("<html>", init);
      await failsWith(() => get(), message);
    }
    hub.answer = null;
    await failsWith(() => get({ revision: "v2" }), /^Cannot download org\/name at v2 as .+ must have it/);
    await failsWith(() => get({ endpoint: "huggingface" }), /HF_ENDPOINT must be an address: huggingface$/);
  });
});

Deno.test("models without safetensors are refused", async () => {
  const { "config.json": config } = FILES;
  await withHub(async ({ get }) => {
    await failsWith(
      () => get(),
      /its weights must be safetensors: it has pytorch_model\.bin; a revision such as/,
    );
  }, { "config.json": config, "pytorch_model.bin": config });
  await withHub(async ({ get }) => {
    await failsWith(() => get(), /its weights must be safetensors: it has none$/);
  }, { "config.json": config });
  await withHub(async ({ get }) => {
    await failsWith(() => get(), /a model must have a config\.json: it has none$/);
  }, { "model.safetensors": weights });
});

Deno.test("a silent server and a cache that cannot be written are told", async () => {
  await withHub(async ({ cache, get }) => {
    await Deno.writeTextFile(`${cache}/file`, "");
    await failsWith(
      () => get({ cacheFolder: `${cache}/file` }),
      /^Cannot write .+\/blobs\/[0-9a-f]{40} as the disk must take it: .+/,
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
    /must be reachable: no answer in 0\.1 s$/,
  );
});

Deno.test("names and revisions that cannot be one are refused", async () => {
  assertEquals(["gpt2", "facebook/wav2vec2-base-100h", "a.b/c_d"].map(isModelId), [true, true, true]);
  assertEquals(
    ["", "./model", "/tmp/model", "a/b/c", "a--b", "a/..", "a b", "-a"].map(isModelId),
    new Array(8).fill(false),
  );
  const error = await assertRejects(() => fetchModel("../x"), RangeError);
  assertEquals(error.message, "Cannot download as a model is called ORGANISATION/NAME: ../x is not");
  for (const revision of ["", "../../x", "a b", "/x"]) {
    await assertRejects(
      () => fetchModel("org/name", { revision }),
      RangeError,
      "a revision is a branch, tag or commit",
    );
  }
});

Deno.test("the cache is where Hugging Face's programs look for it", async () => {
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

Deno.test("two downloads at once share one", async () => {
  await withHub(async ({ hub, get }) => {
    const [one, two] = await Promise.all([get(), get()]);
    assertEquals(one, two);
    assertEquals(downloads(hub).length, 1);
    assertEquals(Deno.readFileSync(`${one}/model.safetensors`), weights);
  });
});
