// The program run by its URL from an empty folder, with no configuration: help, the embedded model, the default recipe.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { preferVulkan } from "../../cli/backend.ts";
import { folderOfUrl } from "../../cli/fetched_model.ts";
import { testdata, writeNoise } from "./run.ts";

const root = new URL("../../", import.meta.url);

/** Serves the checkout below a folder as a plain web server does. */
async function file(request: Request): Promise<Response> {
  const pathname = new URL(request.url).pathname.replace(/^\/[^/]+/, "");
  const type = pathname.endsWith(".ts") ? "application/typescript" : "application/octet-stream";
  return await Deno.readFile(new URL(`.${pathname}`, root)).then(
    (bytes) => new Response(bytes, { headers: { "content-type": type } }),
    () => new Response(null, { status: 404 }),
  );
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Passes a function that runs the program in an empty folder, and the address of the server. */
async function byUrl(test: (run: (...words: string[]) => Promise<Ran>, host: string) => Promise<void>) {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, file);
  // No cache has this address yet, though a killed run may have had the port.
  const host = `http://127.0.0.1:${server.addr.port}/${crypto.randomUUID()}`;
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  const env = new Map([["NO_COLOR", "1"]]);
  preferVulkan({ has: (name) => Deno.env.has(name), set: (name, value) => env.set(name, value) });
  const run = async (...words: string[]): Promise<Ran> => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-config", "--no-lock", `${host}/cli.ts`, ...words],
      cwd: folder,
      env: Object.fromEntries(env),
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout).trim(), err: decoder.decode(stderr) };
  };
  try {
    await test(run, host);
  } finally {
    // What was cached under this port's address is of no use to others.
    const urls = [`${host}/assets/commands-tiny`, `${host}/assets/none`];
    const modules = `${await modulesCache()}/http/127.0.0.1_PORT${server.addr.port}`;
    for (const path of [folder, modules, ...await Promise.all(urls.map(folderOfUrl))]) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}

/** Folder in which Deno keeps modules that it fetches. */
async function modulesCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).modulesCache;
}

Deno.test("cli.ts runs from a URL: help, transcribe with a model behind a URL, and the default recipe", () =>
  byUrl(async (run, host) => {
    const help = await run("inspect", "--help");
    assertEquals(help.code, 0, help.err);
    assertStringIncludes(help.out, `Usage: deno run -A ${host}/cli.ts inspect [OPTIONS] MODEL`);

    const noise = await Deno.makeTempFile({ suffix: ".wav" });
    try {
      await writeNoise(noise, 8000);
      const model = `${host}/assets/commands-tiny`;
      const near = await run("transcribe", "--model", new URL("assets/commands-tiny", root).pathname, noise);
      const far = await run("transcribe", "--model", model, noise);
      assertEquals([far.code, far.out], [0, near.out], far.err);
      assertStringIncludes(far.err, "downloading model.safetensors, 1.9 MB");
      const none = await run("transcribe", "--model", `${host}/assets/none`, noise);
      assertEquals([none.code, none.out], [2, ""], none.err);
      assertStringIncludes(none.err, "config.json is required: it is missing");
    } finally {
      await Deno.remove(noise);
    }

    const web = await run("web");
    assertEquals([web.code, web.out], [2, ""]);
    assertStringIncludes(web.err, "web needs a copy of the program on disk");

    const memory = await run("prune", "--dry-run");
    assertEquals(memory.code, 0, memory.err);
    assert(memory.out.startsWith("estimated memory: "), memory.out);
  }));

Deno.test("the version of a model behind a URL cannot be chosen", () =>
  byUrl(async (run, host) => {
    const { code, err } = await run(
      "transcribe",
      "--model",
      `${host}/assets/commands-tiny`,
      "--revision",
      "main",
      `${testdata}/audio/tone.flac`,
    );
    assertEquals(code, 2);
    assertStringIncludes(err, "--revision is for a model on the hub:");
  }));
