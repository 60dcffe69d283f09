// What stands for `Deno` in Node: it has all names that the library uses, and does with files what Deno does.
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Deno as StandIn } from "../../build/node_deno.ts";
import { modules, root } from "../source_tree.ts";

/** Names of types. */
const TYPES = ["FsFile"];

Deno.test("the stand-in has all of Deno that the library uses", async () => {
  const folders = ["files", "random", "tensor", "kernels", "model", "data", "train", "prune"];
  const missing = new Set<string>();
  for (const path of await modules(folders)) {
    const text = (await Deno.readTextFile(new URL(path, root))).replace(/^\s*(\*|\/\/).*$/gm, "");
    for (const [, name] of text.matchAll(/\bDeno\.(\w+)/g)) {
      if (!(name! in StandIn) && !TYPES.includes(name!)) missing.add(`${path}: Deno.${name}`);
    }
  }
  assertEquals([...missing], []);
});

Deno.test("the stand-in reads and writes files as Deno does", async () => {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    const path = `${folder}/a`;
    {
      using file = await StandIn.open(path, { write: true, create: true, truncate: true });
      assertEquals(await file.write(Uint8Array.of(1, 2, 3)), 3);
      assertEquals(file.writeSync(Uint8Array.of(4, 5)), 2);
      await file.sync();
      assertEquals((await file.stat()).size, 5);
    }
    {
      using file = await StandIn.open(path, { append: true });
      file.writeSync(Uint8Array.of(6));
    }
    assertEquals([...await StandIn.readFile(path)], [1, 2, 3, 4, 5, 6]);
    {
      using file = StandIn.openSync(path);
      const two = new Uint8Array(2);
      file.seekSync(3);
      assertEquals([file.readSync(two), [...two]], [2, [4, 5]]);
      assertEquals([await file.read(two), two[0], await file.read(two)], [1, 6, null]);
    }
    const rest = await StandIn.open(path);
    rest.seekSync(4);
    assertEquals([...await new Response(rest.readable).bytes()], [5, 6]);
    await StandIn.mkdir(`${folder}/b/c`, { recursive: true });
    await StandIn.rename(path, `${folder}/b/a`);
    const entries = await Array.fromAsync(StandIn.readDir(`${folder}/b`));
    assertEquals(entries.map(({ name, isFile, isDirectory }) => [name, isFile, isDirectory]).sort(), [
      ["a", true, false],
      ["c", false, true],
    ]);
    await StandIn.remove(`${folder}/b/c`);
    await StandIn.writeTextFile(`${folder}/text`, "Ü");
    assertEquals([await StandIn.readTextFile(`${folder}/text`), StandIn.statSync(`${folder}/text`).size], [
      "Ü",
      2,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("errors of the stand-in are those of Deno: class and message", async () => {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    await Deno.writeTextFile(`${folder}/a`, "");
    const cases: [(deno: typeof StandIn | typeof Deno) => Promise<unknown>, "NotFound" | "NotADirectory"][] =
      [
        [(deno) => deno.readFile(`${folder}/none`), "NotFound"],
        [(deno) => deno.stat(`${folder}/none`), "NotFound"],
        [(deno) => deno.open(`${folder}/none`), "NotFound"],
        [(deno) => deno.readFile(`${folder}/a/b`), "NotADirectory"],
        [(deno) => Array.fromAsync(deno.readDir(`${folder}/none`)), "NotFound"],
      ];
    for (const [work, kind] of cases) {
      const ours = await assertRejects(() => work(StandIn), StandIn.errors[kind]);
      const theirs = await assertRejects(() => work(Deno), Deno.errors[kind]);
      const withoutCall = ({ message }: Error) => message.replace(/: \w+ '.*$/s, "");
      assertEquals(withoutCall(ours).toLowerCase(), withoutCall(theirs).toLowerCase());
      assertInstanceOf(ours, Error);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
