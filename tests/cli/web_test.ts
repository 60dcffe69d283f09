// `web` without a browser: the files of the page, the server, and errors. tests/web/page.ts runs the page.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { buildSite, type SiteFiles } from "../../cli/web_site.ts";
import { serveSite } from "../../cli/web_serve.ts";
import { run } from "./run.ts";

const INTENTS = `${EMBEDDED_DENSE}/intents`;

const site: Promise<SiteFiles> = buildSite([{ title: "Dense", model: EMBEDDED_DENSE }]);

/** Serves the page while `test` sends requests to it. */
async function serving(test: (address: string) => Promise<void>): Promise<void> {
  const address = Promise.withResolvers<string>();
  const stop = new AbortController();
  const served = serveSite(await site, { port: 0, onListen: address.resolve, signal: stop.signal });
  try {
    await test(await address.promise);
  } finally {
    stop.abort();
    await served;
  }
}

Deno.test("the page has the model's files, samples, and one script without imports", async () => {
  const files = await site;
  assertEquals([...files.keys()].sort(), [
    "index.html",
    "models/dense/config.json",
    "models/dense/model.safetensors",
    "models/dense/preprocessor_config.json",
    "models/dense/vocab.json",
    "page.js",
    "samples/bathroom.flac",
    "samples/radio.flac",
    "samples/weather.flac",
    "site.json",
    "style.css",
  ]);
  const script = files.get("page.js")!;
  assert("bytes" in script);
  const text = new TextDecoder().decode(script.bytes);
  assertEquals(text.match(/\bfrom\s*"(?:node|npm|jsr|https?):[^"]*"/g), null);
  assertStringIncludes(text, "@compute");
  const list = files.get("site.json")!;
  assert("bytes" in list);
  const { models: [model] } = JSON.parse(new TextDecoder().decode(list.bytes));
  assertEquals([model.name, model.parameters, model.bytes], ["assets/commands-tiny", 464_832, 1_883_116]);
});

Deno.test("the server answers for the files of the page alone", async () => {
  await serving(async (address) => {
    const page = await fetch(address);
    assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
    assertStringIncludes(await page.text(), "<title>Espalier");
    const weights = await fetch(`${address}models/dense/model.safetensors?v=1`);
    assertEquals((await weights.bytes()).length, Number(weights.headers.get("content-length")));
    const head = await fetch(`${address}page.js`, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    for (
      const path of [
        "deno.json",
        "models/dense/",
        "..%2fdeno.json",
        "%E0%A4%A",
        "models/dense/../../deno.json",
      ]
    ) {
      const { status, body } = await fetch(address + path);
      await body?.cancel();
      assertEquals([path, status], [path, 404]);
    }
    const post = await fetch(address, { method: "POST", body: "x" });
    assertEquals([post.status, await post.text()], [405, "method not allowed\n"]);
  });
});

Deno.test("web refuses a classifier, a folder with files, and a port in use, each in one line", async () => {
  const classifier = await run("web", "--dense", INTENTS);
  assertEquals(classifier.status, 2);
  assertEquals(classifier.err, [`Cannot show ${INTENTS} as the page transcribes: its head is classify`]);
  const full = await run("web", "--out", EMBEDDED_DENSE);
  assertEquals([full.status, full.err], [2, [
    `Cannot write the page as --out must be a new or empty folder: ${EMBEDDED_DENSE} has files`,
  ]]);
  await serving(async (address) => {
    const { port } = new URL(address);
    const taken = await run("web", "--port", port);
    assertEquals([taken.status, taken.err], [2, [`Cannot serve as --port must be free: ${port} is in use`]]);
  });
});

Deno.test("web --out writes the page for a static server", async () => {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    const { status, out, err } = await run("web", "--dense", EMBEDDED_DENSE, "--out", `${folder}/page`);
    assertEquals([status, err], [0, []]);
    assertEquals(out.length, 1);
    assertStringIncludes(out[0]!, `${folder}/page: 11 files, `);
    const html = await Deno.readTextFile(`${folder}/page/index.html`);
    // Relative addresses work below a folder of the server.
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]*)"/g)) {
      assert(!/^(\/|https?:)/.test(address!));
    }
    assertEquals((await Array.fromAsync(Deno.readDir(folder))).length, 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
