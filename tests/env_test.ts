import { assertEquals } from "@std/assert";
import { withEnv } from "./env.ts";
import { modules, root } from "./source_tree.ts";

Deno.test("a test's environment variables are not the process's", async () => {
  const program = `console.log(Deno.env.get("ESPALIER_EXAMPLE") ?? "unset")`;
  const child = () => new Deno.Command(Deno.execPath(), { args: ["eval", program] }).output();
  await withEnv({ ESPALIER_EXAMPLE: "1", HOME: undefined }, async () => {
    assertEquals([Deno.env.get("ESPALIER_EXAMPLE"), Deno.env.get("HOME"), Deno.env.has("HOME")], [
      "1",
      undefined,
      false,
    ]);
    assertEquals(new TextDecoder().decode((await child()).stdout), "unset\n");
  });
  assertEquals(Deno.env.has("ESPALIER_EXAMPLE"), false);
});

Deno.test("no test changes the environment or folder of the process, which all test files share", async () => {
  const changed = [];
  for (const path of await modules(["tests"])) {
    if (/Deno\.(env\.(set|delete)|chdir|umask)\(/.test(await Deno.readTextFile(new URL(path, root)))) {
      changed.push(path);
    }
  }
  assertEquals(changed, []);
});
