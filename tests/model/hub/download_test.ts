import { assert, assertEquals } from "@std/assert";
import { downloads, failsWith, large, model, names, weights, withHub } from "./with_hub.ts";

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

Deno.test("two concurrent downloads share one", async () => {
  await withHub(async ({ hub, get }) => {
    const waited: string[] = [];
    const begun = Promise.withResolvers<void>();
    hub.ready = begun.promise; // the one that comes first must not have ended before the other comes
    const onWait = (file: string) => {
      waited.push(file);
      if (file === "model.safetensors") begun.resolve();
    };
    const [one, two] = await Promise.all([get({ onWait }), get({ onWait })]);
    assert(waited.includes("model.safetensors"), `${waited}`);
    assertEquals(one, two);
    assertEquals(downloads(hub).length, 1);
    assertEquals(Deno.readFileSync(`${one}/model.safetensors`), weights);
  });
});
