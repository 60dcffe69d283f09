import { assertEquals } from "@std/assert";
import { fetchModel } from "../../../model/hub/fetch_model.ts";
import { withEnv } from "../../env.ts";
import { failsWith, model, weights, withHub } from "./with_hub.ts";

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
    await failsWith(
      () => get({ endpoint: "huggingface" }),
      /HF_ENDPOINT must be an http or https URL: huggingface$/,
    );
  });
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
        retryDelay: 1,
      }),
    /cannot be reached, no response in 0\.1 s$/,
  );
});
