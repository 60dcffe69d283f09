import { assertEquals, assertRejects } from "@std/assert";
import { loadModel } from "../../../model/inference/load_model.ts";
import { resolveModel } from "../../../model/hub/resolve_model.ts";
import { testGpu } from "../../gpu.ts";
import { failsWith, model, withHub } from "./with_hub.ts";

const base = new URL("../../testdata/base", import.meta.url).pathname;

Deno.test("an existing path is returned without a request to the hub", async () => {
  const offline = { offline: true, cacheFolder: "/nonexistent" };
  assertEquals(await resolveModel(base, offline), base);
  assertEquals(await resolveModel("nowhere", offline), "nowhere");
});

Deno.test("a name is downloaded once, and loaded", async () => {
  const cacheFolder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const files = await Promise.all(["config.json", "model.safetensors"].map(async (name) => {
    const bytes = await Deno.readFile(`${base}/${name}`);
    const content = new Uint8Array([...new TextEncoder().encode(`blob ${bytes.length}\0`), ...bytes]);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", content)).toHex();
    return { name, bytes, hash };
  }));
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const file = files.find(({ name }) => pathname.endsWith(`/${name}`));
    if (file) {
      const headers = { etag: `"${file.hash}"`, "x-repo-commit": commit };
      return new Response(request.method === "HEAD" ? null : file.bytes, {
        headers: { ...headers, "content-length": String(file.bytes.length) },
      });
    }
    if (!pathname.startsWith("/api/")) return new Response(null, { status: 404 });
    const siblings = files.map(({ name, bytes, hash }) => ({
      rfilename: name,
      size: bytes.length,
      blobId: hash,
    }));
    return Response.json({ sha: commit, siblings });
  });
  try {
    const hub = { cacheFolder, endpoint: `http://127.0.0.1:${server.addr.port}`, retryDelay: 1 };
    const loaded = await loadModel("test/tiny", { gpu: await testGpu(), hub });
    assertEquals([loaded.name, loaded.model.config.hidden_size], ["test/tiny", 24]);
    loaded.dispose();
    await server.shutdown();
    const again = await resolveModel("test/tiny", { ...hub, offline: true });
    assertEquals((await Deno.readFile(`${again}/config.json`)).length, files[0]!.bytes.length);
  } finally {
    await server.shutdown();
    await Deno.remove(cacheFolder, { recursive: true });
  }
});

Deno.test("NAME@REVISION is downloaded at that revision", async () => {
  await withHub(async ({ hub, cache }) => {
    const options = { endpoint: hub.endpoint, cacheFolder: cache, token: "", retryDelay: 1 };
    const folder = await resolveModel("org/name@refs/pr/1", options);
    assertEquals(folder, `${cache}/${model}/snapshots/${hub.commit}`);
    assertEquals(hub.requests[0], "GET /api/models/org/name/revision/refs%2Fpr%2F1");
    assertEquals(Deno.readTextFileSync(`${cache}/${model}/refs/refs/pr/1`), hub.commit);
    assertEquals(await resolveModel("org/name", { ...options, revision: "refs/pr/1" }), folder);
    await failsWith(
      () => resolveModel("org/name@v2", options),
      /^Cannot download org\/name at v2: not found/,
    );
    const refused = [
      () => resolveModel("org/name@../x", options),
      () => resolveModel("org/name@", options),
      () => resolveModel("org/name@v1", { ...options, revision: "v2" }),
    ];
    for (const resolve of refused) {
      await assertRejects(resolve, RangeError, "Cannot download org/name");
    }
  });
});
