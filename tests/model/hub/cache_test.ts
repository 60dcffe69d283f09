import { assert, assertEquals } from "@std/assert";
import { defaultCacheFolder } from "../../../model/hub/cache.ts";
import { withEnv } from "../../env.ts";
import { model, withHub } from "./with_hub.ts";

Deno.test("the cache folder is that of huggingface_hub", async () => {
  const unset = {
    HF_HUB_CACHE: undefined,
    HUGGINGFACE_HUB_CACHE: undefined,
    HF_HOME: undefined,
    XDG_CACHE_HOME: undefined,
  };
  const folderWith = (variables: Record<string, string>) => {
    return withEnv({ ...unset, HOME: "/home/me", ...variables }, defaultCacheFolder);
  };
  assertEquals(await folderWith({}), "/home/me/.cache/huggingface/hub");
  assertEquals(await folderWith({ XDG_CACHE_HOME: "/x" }), "/x/huggingface/hub");
  assertEquals(await folderWith({ HF_HOME: "/h", XDG_CACHE_HOME: "/x" }), "/h/hub");
  assertEquals(await folderWith({ HF_HUB_CACHE: "~/c", HF_HOME: "/h" }), "/home/me/c");
});

Deno.test("a download removes what killed processes left, and nothing that is in use", async () => {
  await withHub(async ({ hub, cache, get }) => {
    const folder = `${cache}/${model}`;
    const draft = crypto.randomUUID();
    const stale = [
      `blobs/${"a".repeat(64)}.incomplete`,
      `refs/refs/pr/1.${draft}`,
      `snapshots/${"b".repeat(40)}/config.json.${draft}`,
    ];
    const locked = `blobs/${"c".repeat(64)}.incomplete`;
    const fresh = [`blobs/${"d".repeat(64)}.incomplete`, `refs/main.${draft}`];
    const kept = [`blobs/${"e".repeat(64)}`, `snapshots/${"b".repeat(40)}/config.json`];
    for (const path of [...stale, locked, ...fresh, ...kept]) {
      await Deno.mkdir(`${folder}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder}/${path}`, "x");
      const old = Date.now() / 1000 - 48 * 3600;
      if (!fresh.includes(path)) await Deno.utime(`${folder}/${path}`, old, old);
    }
    using file = await Deno.open(`${folder}/${locked}`, { write: true });
    await file.lock(true);
    await get();
    const exists = (path: string) => Deno.lstat(`${folder}/${path}`).then(() => true, () => false);
    assertEquals(await Promise.all(stale.map(exists)), stale.map(() => false));
    assertEquals(await Promise.all([locked, ...fresh, ...kept].map(exists)), new Array(5).fill(true));
    assert(hub.requests.length > 0);
  });
});
