import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PARTS } from "../../../bench/gpu/parts.ts";
import type { BenchRecord } from "../../../bench/record.ts";
import { variants } from "../../full.ts";

const root = new URL("../../../", import.meta.url).pathname;

async function benchGpu(...words: string[]) {
  const args = ["run", "-A", "--no-check", "--lock=dev.lock", "bench/gpu/main.ts", ...words];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("the limits of the parts fit into eight minutes", () => {
  assert(PARTS.reduce((sum, { seconds }) => sum + seconds, 0) <= 480);
});

for (const name of variants(PARTS.map(({ name }) => name), "facts", "gemm")) {
  Deno.test(`the part ${name} runs alone, prints a table and writes its record`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const { code, out, err } = await benchGpu(
        "--quick",
        "--only",
        name,
        "--out",
        folder,
        "--commit",
        "0123456",
      );
      assertEquals(code, 0, out + err);
      assertStringIncludes(out, `\n${name} `);
      const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assertEquals(files, [`${name}.json`]);
      const record = JSON.parse(await Deno.readTextFile(`${folder}/${name}.json`)) as BenchRecord;
      assertEquals([record.part, record.commit, record.quick, record.error], [name, "0123456", true, null]);
      assert(record.adapter !== "" && record.date !== "" && record.command.includes("--quick"));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("a part that there is not is named in one line", async () => {
  const { code, err } = await benchGpu("--only", "shaders", "--out", "/nonexistent");
  assertEquals(code, 2);
  assertStringIncludes(err, "Cannot run bench:gpu as --only must be some of facts, operations");
});
