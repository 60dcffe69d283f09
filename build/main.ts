// `deno task build`: the library as packages, in dist/. One ES module for browsers (`espalier.js`), one for Node
// (`espalier.node.mjs`), their types (`types/mod.d.ts`), and the folders to publish: `npm` and `jsr`.
import { stop } from "npm:esbuild@0.28.2";
import program from "../deno.json" with { type: "json" };
import { bundle, type Packages } from "./bundle.ts";
import { writeTypes } from "./types.ts";

const root = new URL("../", import.meta.url).pathname;
const DOCUMENTS = ["README.md", "CHANGELOG.md", "LICENSE"];

/** Copies a file or a folder. */
async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** The package for npm, whose users have bundlers or Node. */
async function writeNpm(dist: string, packages: Packages): Promise<void> {
  const folder = `${dist}/npm`;
  await Deno.mkdir(folder);
  for (const name of ["espalier.js", "espalier.node.mjs", "types"]) {
    await copy(`${dist}/${name}`, `${folder}/${name}`);
  }
  for (const name of DOCUMENTS) await copy(root + name, `${folder}/${name}`);
  const { name, version, license, description } = program;
  await Deno.writeTextFile(
    `${folder}/package.json`,
    json({
      name,
      version,
      description,
      license,
      type: "module",
      sideEffects: false,
      exports: {
        ".": { types: "./types/mod.d.ts", node: "./espalier.node.mjs", default: "./espalier.js" },
      },
      files: ["espalier.js", "espalier.node.mjs", "types", "CHANGELOG.md"],
      dependencies: packages,
      peerDependencies: { webgpu: ">=0.4.0" },
      peerDependenciesMeta: { webgpu: { optional: true } },
      engines: { node: ">=20" },
    }),
  );
}

/** The package for JSR: the sources. */
async function writeJsr(dist: string): Promise<void> {
  const folder = `${dist}/jsr`;
  await Deno.mkdir(folder);
  for (const path of program.publish.include) {
    if (path !== "deno.json") await copy(root + path, `${folder}/${path}`);
  }
  const { name, version, license, exports, compilerOptions } = program;
  // dist/ is among the files that git ignores, and so publishing would leave all of it out.
  const publish = { exclude: ["!."] };
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    json({ name, version, license, exports, compilerOptions, publish }),
  );
}

/**
 * Builds the packages.
 *
 * @param dist folder to write, which is emptied first
 */
export async function build(dist: string): Promise<void> {
  await Deno.remove(dist, { recursive: true }).catch(() => {});
  await Deno.mkdir(dist, { recursive: true });
  try {
    const packages = await bundle("browser", `${dist}/espalier.js`);
    await bundle("node", `${dist}/espalier.node.mjs`);
    await writeTypes(`${dist}/types`);
    await writeNpm(dist, packages);
    await writeJsr(dist);
  } finally {
    await stop();
  }
}

if (import.meta.main) await build(`${root}dist`);
