// The package for npm, installed as users do, on Node 20 and 22 with the npm package `webgpu`: Dawn on SwiftShader, which comes
// with Chromium.
import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { bundlePage, sizesText } from "../../build/bundlers.ts";
import { checkUsed, prepare, type Used } from "./files.ts";

/** Drivers of SwiftShader, as Debian and Google install it. */
const DRIVERS = [
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
];

const PROGRAM = `
import { readFile } from "node:fs/promises";
import { create } from "webgpu";
import * as library from "@espalier/espalier";
import { use } from "./use.mjs";

const used = await use(library, create([]), readFile);
const { loadModel, requestGpu } = library;
const errors = await Promise.all([
  requestGpu().catch(({ message }) => message),
  loadModel("nowhere").catch(({ message }) => message),
]);
const gpu = await requestGpu({ webgpu: create([]) });
const model = await loadModel(".", { gpu });
used.folder = model.model.config.model_type;
model.dispose();
gpu.destroy();
console.log(JSON.stringify({ ...used, errors, version: process.version }));
`;

/** A program in TypeScript that uses the package's types alone. */
const TYPED = `
import { type LoadedModel, loadModel, requestGpu, type Transcript } from "@espalier/espalier";

const gpu = await requestGpu({ webgpu: {} as GPU });
const model: LoadedModel = await loadModel("folder", { gpu });
const { text, words }: Transcript = await model.transcribe(new Float32Array(16_000));
export const first: string = words[0]?.text ?? text;
// @ts-expect-error A model is not a number.
await loadModel(1);
`;

/** Runs a program in a folder, and returns its standard output. */
async function run(cwd: string, program: string, args: readonly string[], env: Record<string, string> = {}) {
  const output = await new Deno.Command(program, { args: [...args], cwd, env }).output();
  const [out, err] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!output.success) throw new Error(`${program} ${args.join(" ")} failed:\n${out}${err}`);
  return out!;
}

async function findDriver(): Promise<string> {
  const given = Deno.env.get("VK_DRIVER_FILES");
  for (const path of given ? [given] : DRIVERS) {
    if (await Deno.stat(path).then(() => true, () => false)) return path;
  }
  throw new Error("SwiftShader not found: install Chromium, or set VK_DRIVER_FILES to the path of its .json");
}

/** A project with the package, and Node of two versions, all from npm. */
async function makeProject(): Promise<string> {
  const folder = await prepare();
  const node = `node-${Deno.build.os}-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`;
  await Deno.writeTextFile(`${folder}/package.json`, `{ "type": "module" }\n`);
  const packages = ["webgpu@0.6.2", "typescript@6.0.3", `node20@npm:${node}@20`, `node22@npm:${node}@22`];
  await run(folder, "npm", ["install", "--no-audit", "--no-fund", "./dist/npm", ...packages]);
  return folder;
}

const project = makeProject();
project.then((folder) =>
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }))
);

for (const version of ["20", "22"]) {
  Deno.test(`the package transcribes and prunes in Node ${version} on Dawn with SwiftShader`, async () => {
    const folder = await project;
    await Deno.writeTextFile(`${folder}/program.mjs`, PROGRAM);
    const driver = await findDriver();
    const env = { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
    const out = await run(folder, `node_modules/node${version}/bin/node`, ["program.mjs"], env);
    const used = JSON.parse(out) as Used & { errors: string[]; version: string; folder: string };
    assertStringIncludes(used.version, `v${version}.`);
    assertStringIncludes(used.adapter, "SwiftShader");
    checkUsed(used);
    assertEquals(used.folder, "wav2vec2");
    assertEquals(used.errors, [
      "No WebGPU here: pass a GPU object, such as requestGpu({ webgpu: create([]) }) with the npm package webgpu",
      "Cannot load nowhere as a model must be a folder or a .safetensors, .bin, .pt or .pth file: " +
      "there is no such file or folder",
    ]);
  });
}

Deno.test("a program in TypeScript compiles against the package's types", async () => {
  const folder = await project;
  await Deno.writeTextFile(`${folder}/typed.ts`, TYPED);
  const options = [
    "--strict",
    "--noEmit",
    "--target",
    "esnext",
    "--module",
    "nodenext",
    "--lib",
    "esnext,dom",
  ];
  const tsc = `${folder}/node_modules/typescript/bin/tsc`;
  await run(folder, `${folder}/node_modules/node22/bin/node`, [tsc, ...options, "typed.ts"]);
});

Deno.test("npm and JSR would publish the packages", async () => {
  const folder = await project;
  const [packed] = JSON.parse(await run(`${folder}/dist/npm`, "npm", ["pack", "--dry-run", "--json"]));
  const names: string[] = packed.files.map(({ path }: { path: string }) => path);
  const top = names.filter((name) => !name.startsWith("types/"));
  assertEquals(top.sort(), [
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "espalier.js",
    "espalier.node.mjs",
    "package.json",
  ]);
  await run(`${folder}/dist/jsr`, Deno.execPath(), ["publish", "--dry-run", "--allow-dirty", "--quiet"]);
});

Deno.test("the module for browsers is one file; decoders of audio are imported when they are needed", async () => {
  const folder = await project;
  const text = await Deno.readTextFile(`${folder}/dist/espalier.js`);
  assertEquals(text.match(/^\s*(import|export)\b[^;]*\bfrom\s*"[^"]*"/gm), null);
  const { dependencies } = JSON.parse(await Deno.readTextFile(`${folder}/dist/npm/package.json`));
  const imported = [...text.matchAll(/\bimport\("((?:@[^/"]+\/)?[^/"]+)[^"]*"\)/g)].map(([, name]) => name!);
  assertEquals([...new Set(imported)].sort(), Object.keys(dependencies).sort());
  assertStringIncludes(text, "@compute");
});

Deno.test("deno bundle, esbuild and Vite build the example page without plugins", async () => {
  const bundles = await bundlePage(await project);
  console.log(sizesText(bundles));
  for (const { bundler, text, gzipped } of bundles) {
    assertStringIncludes(text, "@compute", bundler);
    assertEquals(text.match(/\b(?:from|import)\s*\(?"(?:node|npm|@espalier)[^"]*"/g), null, bundler);
    assertLess(gzipped, 150_000, bundler);
  }
});
