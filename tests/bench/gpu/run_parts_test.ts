import { assert, assertEquals } from "@std/assert";
import type { Part } from "../../../bench/gpu/part.ts";
import { runParts } from "../../../bench/gpu/run_parts.ts";
import { type BenchRecord, readRecord } from "../../../bench/record.ts";

const origin = { date: "2026-11-30T12:00Z", commit: "0123456", runtime: "Deno 2", command: "bench:gpu" };

const part = (name: string, seconds = 60): Part => ({
  ...{ name, seconds, about: name },
  module: new URL(`parts/${name}.ts`, import.meta.url).href,
});

async function withFolder(test: (out: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/records`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Whether a process of Linux runs; one that has ended and was not waited for is a zombie. */
const isRunning = (pid: number) =>
  Deno.readTextFile(`/proc/${pid}/stat`).then((stat) => !/\) Z/.test(stat), () => false);

Deno.test("a part that fails, dies or never ends stops no other, and its record names the reason", () =>
  withFolder(async (out) => {
    const parts = [part("failing"), part("dying"), part("endless", 5), part("good")];
    const shown: string[] = [];
    const outcomes = await runParts(parts, {
      ...{ out, quick: false, seconds: 120, origin },
      onStart: ({ name }) => shown.push(`${name} begins`),
      onEnd: ({ part: { name } }) => void shown.push(`${name} ends`),
    });
    assertEquals(outcomes.map(({ error }) => error), [
      "RangeError: Cannot measure as the kernel must compile: it does not",
      "exit status 7",
      "it took more than 5 s",
      null,
    ]);
    assertEquals(shown.slice(0, 3), ["failing begins", "failing ends", "dying begins"]);
    const records = await Promise.all(parts.map(({ name }) => readRecord(out, name)));
    const [failing, dying, endless, good] = records as BenchRecord<{ value: number; pid: number }>[];
    assertEquals(failing!.result!.value, 1);
    assertEquals([failing!.error, dying!.error], outcomes.slice(0, 2).map(({ error }) => error));
    assertEquals(dying!.result, null);
    assertEquals({ ...good, seconds: 0 }, {
      ...{ part: "good", ...origin, adapter: "an adapter", quick: false, seconds: 0, error: null },
      result: { name: "an adapter", value: 3 },
    } as unknown as BenchRecord<{ value: number; pid: number }>);
    if (Deno.build.os === "linux") assert(!await isRunning(endless!.result!.pid), "its process runs on");
  }));

Deno.test("a part for which no time is left is not begun", () =>
  withFolder(async (out) => {
    const [outcome] = await runParts([part("good")], { out, quick: true, seconds: 1, origin });
    assertEquals(outcome!.error, "there was no time left for it");
    assertEquals(await readRecord(out, "good"), null);
  }));
