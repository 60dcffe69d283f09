// The examples in the documentation, type-checked and run as `deno test --doc` makes modules of them.
import { assert, assertEquals } from "@std/assert";
import { preferVulkan } from "../cli/backend.ts";
import { full, variants } from "./full.ts";

const root = new URL("../", import.meta.url);
const places = variants(
  [
    "mod.ts",
    "docs/extending.md",
    "docs/library.md",
    "tensor",
    "kernels",
    "model",
    "prune",
    "random",
    "train",
  ],
  "mod.ts",
  "docs/extending.md",
  "random",
);

Deno.test("every example in the documentation of the library compiles and runs", async () => {
  const env = new Map([["NO_COLOR", "1"]]);
  preferVulkan({ has: (name) => Deno.env.has(name), set: (name, value) => env.set(name, value) });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // A user's settings: this project's refuse unused imports, and Deno adds a file's exports to its examples.
    args: ["test", "--doc", "--no-config", "--no-lock", "-A", ...places],
    cwd: root,
    env: Object.fromEntries(env),
  }).output();
  const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  assertEquals(code, 0, text);
  const [, passed] = /(\d+) passed/.exec(text) ?? [];
  assert(Number(passed) > (full ? 100 : 2), text); // Deno succeeds too where it finds none
});

Deno.test("every name that the documentation of mod.ts links to is exported", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--no-lock", "mod.ts"],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const exported = new Set(
    [...(await Deno.readTextFile(new URL("mod.ts", root))).matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
      .flatMap(([, names]) => names!.split(",").map((name) => name.trim().replace(/^type /, ""))),
  );
  assert(exported.size > 100);
  const linked = [...text.matchAll(/@linkcode\s+(\w+)/g)].map(([, name]) => name!);
  assert(linked.length > 20);
  assertEquals([...new Set(linked)].filter((name) => !exported.has(name)), []);
});
