import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { tablesOf } from "../../bench/gpu/recorded.ts";
import type { BenchRecord } from "../../bench/record.ts";
import type { Startup } from "../../bench/startup.ts";
import { variants } from "../full.ts";

const root = new URL("../../", import.meta.url).pathname;

async function bench(...words: string[]) {
  const args = ["run", "-A", "--no-check", "--lock=dev.lock", "bench/main.ts", ...words];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const caches = variants(["warm", "no shaders", "empty"], "warm");

Deno.test("bench --startup measures warm and empty caches, prints a line each and writes a record", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const only = caches.length === 1 ? ["--only", caches[0]!] : [];
    const { code, out, err } = await bench("--startup", "--rounds", "1", ...only, "--out", folder);
    assertEquals(code, 0, out + err);
    for (const name of caches) assertStringIncludes(out, `\n${name} `);
    const record = JSON.parse(await Deno.readTextFile(`${folder}/startup.json`)) as BenchRecord<Startup>;
    const { times } = record.result!;
    assertEquals(
      times.map(({ caches, seconds }) => [caches, seconds.length]),
      caches.map((name) => [name, 1]),
    );
    assert(times.every(({ seconds: [value] }) => value! > 0));
    assert(record.adapter !== "" && record.command.endsWith(`--out ${folder}`));
    const [table] = (await tablesOf("startup", record.result))!;
    assertEquals(table!.rows.length, caches.length);
    assertEquals(await tablesOf("shutdown", record.result), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a case that there is not is named in one line", async () => {
  const { code, err } = await bench("--compact", "--only", "diarizen_huge");
  assertEquals(code, 2);
  assertStringIncludes(err, "diarizen_huge is not part of base_30_by_8");
});
