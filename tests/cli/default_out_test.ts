import { assertEquals } from "@std/assert";
import { defaultOut } from "../../cli/default_out.ts";
import { claimRunFolder } from "../../train/run_folder.ts";
import { withFolder } from "../data/folder.ts";

const fresh = { resume: false, dry: false };

Deno.test("a run without --out takes the first folder that has no run", () =>
  withFolder({ "a/pruned/run/journal.json": "{}", "file/pruned": "" }, async (dir) => {
    const base = `${dir}/b/pruned`;
    assertEquals(await defaultOut(base, fresh), base);
    // What a run leaves that is killed early: an empty folder, and its lock.
    await Deno.mkdir(`${base}/run`, { recursive: true });
    await Deno.writeTextFile(`${base}/espalier.lock`, "");
    assertEquals(await defaultOut(base, fresh), base);
    {
      using _claim = await claimRunFolder(base);
      assertEquals(await defaultOut(base, fresh), `${base}-2`, "another run has it");
    }
    for (const path of [`${dir}/a/pruned`, `${dir}/file/pruned`]) {
      assertEquals(await defaultOut(path, fresh), `${path}-2`);
      assertEquals(await defaultOut(path, { ...fresh, dry: true }), `${path}-2`);
      assertEquals(await defaultOut(path, { ...fresh, resume: true }), path);
    }
    assertEquals(await Deno.readTextFile(`${dir}/a/pruned/run/journal.json`), "{}");
  }));
