// Builds the example page with the bundlers that users have, without plugins: `deno task bundle:check` prints the sizes.
import { build } from "./main.ts";

const root = new URL("../", import.meta.url).pathname;

/** The script of the example page, as a bundler makes it. */
export interface Bundle {
  readonly bundler: string;
  readonly text: string;
  readonly bytes: number;
  readonly gzipped: number;
}

/** Runs a program in a folder. */
async function run(cwd: string, program: string, args: readonly string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  if (success) return;
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  throw new Error(`${program} ${args.join(" ")} failed:\n${output}`);
}

async function bundleOf(bundler: string, path: string): Promise<Bundle> {
  const bytes = await Deno.readFile(path);
  const gzipped = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return {
    bundler,
    text: new TextDecoder().decode(bytes),
    bytes: bytes.length,
    gzipped: (await new Response(gzipped).bytes()).length,
  };
}

/** The one script in a folder. */
async function scriptIn(folder: string): Promise<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const scripts = entries.filter(({ name }) => name.endsWith(".js"));
  if (scripts.length !== 1) throw new Error(`Cannot find the script in ${folder} as it must have one`);
  return `${folder}/${scripts[0]!.name}`;
}

/**
 * Builds the example page in a project that has the package, minified.
 *
 * @param project folder with the package for npm in dist/npm
 * @returns the script of each bundler
 * @throws {Error} npm cannot be reached, or a bundler fails
 */
export async function bundlePage(project: string): Promise<Bundle[]> {
  const packages = ["./dist/npm", "esbuild@0.28.2", "vite@8.4.0"];
  await run(project, "npm", ["install", "--no-audit", "--no-fund", "--no-save", ...packages]);
  for (const name of ["index.html", "main.ts"]) {
    await Deno.copyFile(`${root}examples/browser/${name}`, `${project}/${name}`);
  }
  const bin = `${project}/node_modules/.bin`;
  await run(project, `${bin}/vite`, ["build", "--outDir", "vite", "--logLevel", "error"]);
  const options = ["--bundle", "--minify", "--format=esm", "--outfile=esbuild.js", "--log-level=error"];
  await run(project, `${bin}/esbuild`, ["main.ts", ...options]);
  const deno = ["bundle", "--quiet", "--platform", "browser", "--minify", "-o", "deno.js", "main.ts"];
  await run(project, Deno.execPath(), deno);
  return [
    await bundleOf("deno bundle", `${project}/deno.js`),
    await bundleOf("esbuild", `${project}/esbuild.js`),
    await bundleOf("Vite", await scriptIn(`${project}/vite/assets`)),
  ];
}

/** Sizes as lines of text. */
export function sizesText(bundles: readonly Bundle[]): string {
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(0)} kB`.padStart(7);
  return bundles.map(({ bundler, bytes, gzipped }) =>
    `${bundler.padEnd(11)} ${kilobytes(bytes)} minified, ${kilobytes(gzipped)} gzipped`
  ).join("\n");
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "espalier-bundles-" });
  try {
    await build(`${folder}/dist`);
    await Deno.writeTextFile(`${folder}/package.json`, `{ "type": "module" }\n`);
    const bundles = await bundlePage(folder);
    console.log(
      Deno.args.includes("--json")
        ? JSON.stringify(bundles.map(({ text: _, ...sizes }) => sizes), null, 2)
        : sizesText(bundles),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
