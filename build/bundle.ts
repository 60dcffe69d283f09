import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Plugin } from "npm:esbuild@0.28.2";

const root = new URL("../", import.meta.url).pathname;

const CORE_JS = "npm:core-js@3.51.0";

/** What Node 20 lacks, from core-js. */
const NODE_20 = ["array/from-async", "iterator/index", "map/group-by", "promise/with-resolvers"];

/** Packages that a module of the library imports by `npm:NAME@VERSION`, by name. */
export type Packages = Record<string, string>;

/** Leaves the packages of the library to whoever bundles or runs the module, under their names, and lists them. */
function outside(packages: Packages): Plugin {
  return {
    name: "outside",
    setup(build) {
      build.onResolve({ filter: /^npm:/ }, ({ path, importer }) => {
        const [, name, version, file = ""] = /^npm:((?:@[^/]+\/)?[^@/]+)@([^/]+)(\/.*)?$/.exec(path) ?? [];
        if (name === undefined) {
          return { errors: [{ text: `${importer} imports ${path} without a version` }] };
        }
        packages[name] = `^${version}`;
        return { path: name + file, external: true };
      });
    },
  };
}

/** Where a module runs. */
export type Platform = "browser" | "node";

/**
 * Bundles the library to one ES module with its shaders inside. What Chrome 113 and Node 20 cannot parse is rewritten.
 *
 * @param platform where it runs; for Node, files are read with Node's modules
 * @param path where to write it
 * @returns the npm packages that it imports
 */
export async function bundle(platform: Platform, path: string): Promise<Packages> {
  const packages: Packages = {};
  const options: BuildOptions = {
    entryPoints: [`${root}mod.ts`],
    outfile: path,
    bundle: true,
    format: "esm",
    platform: platform === "node" ? "node" : "browser",
    target: platform === "node" ? "node20" : "es2022",
    plugins: [outside(packages)],
    legalComments: "none",
    logLevel: "error",
  };
  if (platform === "browser") {
    // Safari has no symbol of `using`; the rewritten blocks look for this one.
    await build({ ...options, banner: { js: 'Symbol.dispose ??= Symbol.for("Symbol.dispose");' } });
    return packages;
  }
  await import("npm:core-js@3.51.0/package.json", { with: { type: "json" } }); // so that it is downloaded
  const licence = await Deno.readTextFile(new URL(import.meta.resolve(`${CORE_JS}/LICENSE`)));
  const polyfills = NODE_20.map((name) => import.meta.resolve(`${CORE_JS}/actual/${name}.js`));
  const inject = [...polyfills.map((url) => fileURLToPath(url)), `${root}build/node_deno.ts`];
  await build({ ...options, inject, banner: { js: `/* Includes parts of core-js:\n\n${licence}*/` } });
  return packages;
}
