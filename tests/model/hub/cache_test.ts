import { assertEquals } from "@std/assert";
import { defaultCacheFolder } from "../../../model/hub/cache.ts";
import { withEnv } from "./with_hub.ts";

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
