// The import directions that CONTRIBUTING.md states, and no circles.
import { assert, assertEquals } from "@std/assert";
import { circles, type Import, importsOf, modules, root } from "./source_tree.ts";

/** What the modules of a folder may import beside their own folder: prefixes of paths. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "files": [],
  "comm": ["files/"],
  "random": [],
  "tensor": ["random/"],
  "kernels": ["random/", "tensor/"],
  "data": ["files/", "random/", "model/decode/"],
  "model": ["files/", "random/", "tensor/", "kernels/"],
  "train": ["files/", "comm/", "random/", "tensor/", "kernels/", "model/", "data/", "deno.json"],
  "prune": ["files/", "comm/", "random/", "tensor/", "kernels/", "model/", "data/", "train/", "deno.json"],
  "cli": [
    "files/",
    "comm/",
    "random/",
    "tensor/",
    "kernels/",
    "model/",
    "data/",
    "train/",
    "prune/",
    "web/",
    "deno.json",
  ],
  "web": ["mod.ts"],
};

type Modules = ReadonlyMap<string, readonly Import[]>;

async function readModules(): Promise<Modules> {
  const folders = [];
  for (const folder of Object.keys(MAY_IMPORT)) {
    if (await Deno.stat(new URL(folder, root)).then(() => true, () => false)) folders.push(folder);
  }
  const paths = ["mod.ts", ...await modules(folders)];
  return new Map(
    await Promise.all(paths.map(async (path) => {
      return [path, importsOf(path, await Deno.readTextFile(new URL(path, root)))] as const;
    })),
  );
}

/** Imports against the directions, a line each. */
function againstDirections(all: Modules): string[] {
  return [...all].flatMap(([path, imports]) => {
    const folder = path.split("/")[0]!;
    const allowed = MAY_IMPORT[folder];
    if (!allowed) return [];
    return imports.map(({ to }) => to)
      .filter((to) => !/^(npm|node|jsr|@std\/)/.test(to) && !to.startsWith(`${folder}/`))
      .filter((to) => !allowed.some((prefix) => to.startsWith(prefix)))
      .map((to) => `${path} imports ${to}`);
  });
}

const graphOf = (all: Modules, types: boolean) =>
  new Map(
    [...all].map(([path, imports]) =>
      [path, imports.filter((one) => types || !one.types).map(({ to }) => to)] as const
    ),
  );

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

/** Circles at run time, and circles of types that span folders. */
function badCircles(all: Modules): string[] {
  const spanning = circles(graphOf(all, true)).filter((circle) => new Set(circle.map(folderOf)).size > 1);
  return [
    ...circles(graphOf(all, false)).map((circle) => `at run time: ${circle.join(" ")}`),
    ...spanning.map((circle) => `of types across folders: ${circle.join(" ")}`),
  ];
}

/** Imports that a module fetched by URL could not resolve, among those that mod.ts reaches. */
function bareImports(all: Modules): string[] {
  const reached = new Set<string>();
  const queue = ["mod.ts"];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    queue.push(...(all.get(path) ?? []).map(({ to }) => to).filter((to) => all.has(to)));
  }
  return [...reached].flatMap((path) =>
    (all.get(path) ?? [])
      .filter(({ to }) =>
        !/^(node:|npm:(@[^/@]+\/)?[^/@]+@\d)/.test(to) && !/^[a-z]\w*\/|\.(ts|json)$/.test(to)
      )
      .map(({ to }) => `${path} imports ${to}`)
  );
}

Deno.test("imports go in the directions that CONTRIBUTING.md states", async () => {
  const all = await readModules();
  assert(all.size > 200);
  assertEquals(againstDirections(all), []);
});

Deno.test("no module imports itself in a circle, types across folders included", async () => {
  assertEquals(badCircles(await readModules()), []);
});

Deno.test("nothing that mod.ts reaches is imported by a bare name", async () => {
  assertEquals(bareImports(await readModules()), []);
});

Deno.test("wrong directions, circles and bare names are found", () => {
  const module = (path: string, text: string) => [path, importsOf(path, text)] as const;
  const all = new Map([
    module("mod.ts", `export { a } from "./tensor/a.ts";\nexport * from "./model/b.ts";`),
    module("tensor/a.ts", `import { b, type C } from "../model/b.ts";\nimport { x } from "@std/assert";`),
    module(
      "model/b.ts",
      `import type { A } from "../tensor/a.ts";\n/** import { no } from "./no.ts"; */\nimport("./c.ts");`,
    ),
    module("model/c.ts", `import {\n  b,\n} from "./b.ts";`),
  ]);
  assertEquals(againstDirections(all), ["tensor/a.ts imports model/b.ts"]);
  assertEquals(badCircles(all), [
    "at run time: model/b.ts model/c.ts",
    "of types across folders: model/b.ts model/c.ts tensor/a.ts",
  ]);
  assertEquals(bareImports(all), ["tensor/a.ts imports @std/assert"]);
});
