import { full } from "../../full.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { HubError } from "../../../model/hub/cache.ts";
import { redirectTarget } from "../../../model/hub/request.ts";
import { FAULTS, serveFaultyHub } from "./faulty_hub.ts";
import type { Outcome } from "./faulty_hub_client.ts";

/** One in four of the faults, and all in the full suite. */
const faults = Object.keys(FAULTS).filter((_, i) => full || i % 4 === 0);

Deno.test({
  name: "a faulty hub costs bounded memory, disk and time, and ends in one line",
  // Bodies without an end are open when the server is shut down.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using hub = serveFaultyHub();
    const cache = await Deno.makeTempDir();
    try {
      const client = new URL("./faulty_hub_client.ts", import.meta.url).href;
      const downloads = faults.map((fault) => `${FAULTS[fault]!.timeout ?? 10_000} ${hub.endpoint(fault)}`);
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "-A", client, cache, ...downloads],
      }).output();
      assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      const outcomes: Outcome[] = new TextDecoder().decode(stdout).trim().split("\n").map((line) =>
        JSON.parse(line)
      );
      assertEquals(outcomes.map(({ fault }) => fault), faults);
      for (const outcome of outcomes) {
        const { fault, error, isHubError, memory, seconds } = outcome;
        const expected = FAULTS[fault]!.error;
        const shown = JSON.stringify({ ...outcome, disk: diskOf(`${cache}/${fault}`) });
        assert(expected === null ? error === null : isHubError && expected.test(error!), shown);
        assert(error === null || /^[\x20-\x7e]+$/.test(error), shown);
        assert(memory < 300e6 && seconds < 10 && diskOf(`${cache}/${fault}`) < 10e6, shown);
      }
      assertEquals(hub.leaked, []);
    } finally {
      await Deno.remove(cache, { recursive: true });
    }
  },
});

Deno.test("a redirect is followed to http and https only, and never from https to http", () => {
  const from = new URL("https://hub.example/a/b");
  assertEquals(redirectTarget("/c", from, "download x").href, "https://hub.example/c");
  assertEquals(redirectTarget("https://other.example/", from, "download x").href, "https://other.example/");
  for (
    const location of ["http://hub.example/c", "file:///etc/passwd", "data:,x", "blob:x", "//[", "ftp://x/"]
  ) {
    const error = assertThrows(() => redirectTarget(location, from, "download x"), HubError);
    assert(/^Cannot download x as a redirect must .+: hub\.example redirects to /.test(error.message));
  }
});

/** Bytes of the files in a folder; 0 without it. */
function diskOf(folder: string): number {
  try {
    return [...Deno.readDirSync(folder)]
      .map(({ name, isDirectory, isFile }) =>
        isDirectory ? diskOf(`${folder}/${name}`) : isFile ? Deno.lstatSync(`${folder}/${name}`).size : 0
      )
      .reduce((sum, size) => sum + size, 0);
  } catch {
    return 0;
  }
}
