// deno.lock holds the npm packages of the commands, dev.lock those of tests, checks and benchmarks as well: Deno may
// fetch every package of a lock, and TensorFlow.js alone has 290 MB. deno.json names neither, as `deno task` would fetch
// it all before any command.
import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };

const root = new URL("../", import.meta.url);
const SPECIFIER = /npm:(?:@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:-[\w.-]+)?/g;

/** The npm packages, with versions, that the modules and settings in a folder name. */
async function packagesOf(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, root))) {
    if (isDirectory) found.push(...await packagesOf(`${folder}/${name}`));
    if (!/\.(ts|json)$/.test(name)) continue;
    const text = await Deno.readTextFile(new URL(`${folder}/${name}`, root));
    found.push(...text.match(SPECIFIER) ?? []);
  }
  return found;
}

const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

interface Lock {
  readonly specifiers: Record<string, string>;
  readonly npm: Record<string, { readonly integrity: string }>;
}

const readLock = async (name: string): Promise<Lock> =>
  JSON.parse(await Deno.readTextFile(new URL(name, root)));

Deno.test("deno.lock has the packages that commands name and no others, dev.lock those of tests too", async () => {
  const commands: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(root)) {
    const others = ["bench", "build", "dist", "node_modules", "tests"];
    const ours = isDirectory && /^[a-z]+$/.test(name) && !others.includes(name);
    if (ours) commands.push(...await packagesOf(name));
  }
  const [lean, full] = await Promise.all([readLock("deno.lock"), readLock("dev.lock")]);
  const advice = "run `deno cache --lock=LOCK PACKAGE` for what is missing, and delete what is too much";
  assertEquals(Object.keys(lean.specifiers).sort(), sorted(commands), advice);
  const developing = await Promise.all(["bench", "build", "tests"].map(packagesOf));
  const all = [...commands, ...developing.flat()];
  assertEquals(Object.keys(full.specifiers).sort(), sorted(all), advice);
  for (const [name, { integrity }] of Object.entries(lean.npm)) {
    assertEquals(full.npm[name]?.integrity, integrity, name);
  }
});

Deno.test("every task names the lock that it is held to", () => {
  assertEquals(config.lock, false);
  for (const { command } of Object.values(config.tasks)) {
    for (const part of command.split("&&")) {
      if (!/deno (run|test|check)/.test(part)) continue;
      assertStringIncludes(part, part.includes(" cli.ts ") ? "--lock=deno.lock" : "--lock=dev.lock");
    }
  }
});
