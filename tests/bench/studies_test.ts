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

// Without any cache it downloads packages, which a machine without a network cannot.
for (const caches of variants(["warm", "no shaders"], "warm")) {
  Deno.test(`bench --startup measures ${caches} caches, prints a line and writes a record`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const { code, out, err } = await bench("--startup", "--rounds", "1", "--only", caches, "--out", folder);
      assertEquals(code, 0, out + err);
      assertStringIncludes(out, `\n${caches} `);
      const record = JSON.parse(await Deno.readTextFile(`${folder}/startup.json`)) as BenchRecord<Startup>;
      const { times } = record.result!;
      assertEquals(times.map(({ caches, seconds }) => [caches, seconds.length]), [[caches, 1]]);
      assert(times[0]!.seconds[0]! > 0);
      assert(record.adapter !== "" && record.command.endsWith(`--out ${folder}`));
      const [table] = (await tablesOf("startup", record.result))!;
      assertEquals(table!.rows.length, 1);
      assertEquals(await tablesOf("shutdown", record.result), null);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("a case that there is not is named in one line", async () => {
  const { code, err } = await bench("--compact", "--only", "diarizen_huge");
  assertEquals(code, 2);
  assertStringIncludes(err, "diarizen_huge is not part of base_30_by_8");
});
