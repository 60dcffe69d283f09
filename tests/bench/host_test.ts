import { assert, assertEquals } from "@std/assert";
import { runJson } from "../../bench/child.ts";
import { hostTables } from "../../bench/host.ts";
import type { HostCost, HostRequest } from "../../bench/host_process.ts";
import { tablesText } from "../../bench/record.ts";
import { ROOT } from "../../bench/step_modules.ts";

Deno.test("the commands of a step are counted, and the time that it takes the host", async () => {
  const request: HostRequest = { root: ROOT, model: "tiny", kind: "finetune", steps: 2, batch: [1, 8000] };
  const cost = await runJson<HostCost>("host_process.ts", request, ROOT);
  const { calls, host, script, wall } = cost;
  assert(calls.dispatches > 100, `${calls.dispatches}`);
  assert(calls.passes > 1 && calls.passes <= calls.dispatches, `${calls.passes}`);
  assert(calls.submissions >= 1 && calls.waits >= 1, `${calls.submissions} ${calls.waits}`);
  assertEquals(calls["bind groups"], 0); // those of the steps before
  assertEquals([host.length, wall.length], [2, 2]);
  assert([...host, ...script].every((ms) => ms > 0));
  const ms = { host: host[0]!, script: script[0]!, wall: wall[0]! };
  const step = { model: "tiny", kind: "finetune", against: null, adapter: cost.adapter, calls, ms } as const;
  const lines = tablesText(hostTables([step, { ...step, against: "0123456" }])).split("\n").slice(2);
  assertEquals(lines[0]!.trim().split(/\s{2,}/), ["tiny_finetune", "tiny_finetune, 0123456"]);
  assert(lines.some((line) => line.startsWith(`dispatches`) && line.includes(`${calls.dispatches}`)));
});

Deno.test("a process that fails is an error with what it printed", async () => {
  const error = await runJson("host_process.ts", { root: "/nonexistent" }, ROOT).then(
    () => null,
    (error) => error,
  );
  assert(error instanceof Error && error.message.includes("/nonexistent"), String(error));
});
