import { assert } from "@std/assert";
import { full } from "../full.ts";
import { killRuns } from "./kills.ts";

Deno.test("commands that are killed at moments drawn from a seed end with the same bits after they are taken up", async () => {
  const { kills } = await killRuns(full ? { kills: 32, seed: 2 } : { kills: 3, seed: 1, perRound: 3 });
  assert(Object.keys(kills).length > 1, JSON.stringify(kills));
});
