// The library of dist/ in headless Chromium, as a module that a page loads from a static server.
import { chromium } from "npm:playwright-core@1.65.1";
import { findChromium } from "../browser/chromium.ts";
import { checkUsed, prepare, type Used } from "./files.ts";

const PAGE = `<!doctype html>
<title>Espalier</title>
<script type="module">
  import * as library from "./dist/espalier.js";
  import { use } from "./use.mjs";

  const read = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
  globalThis.run = () => use(library, undefined, read);
</script>
`;

const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript", mjs: "text/javascript" };

Deno.test("the module for browsers transcribes and prunes in Chromium", async () => {
  const executablePath = await findChromium();
  if (!executablePath) throw new Error("Chromium not found: install it, or set CHROMIUM to its path");
  const folder = await prepare();
  await Deno.writeTextFile(`${folder}/index.html`, PAGE);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
    return await Deno.readFile(`${folder}/${name}`).then(
      (bytes) => new Response(bytes, { headers: { "content-type": type } }),
      () => new Response(null, { status: 404 }),
    );
  });
  const browser = await chromium.launch({
    executablePath,
    timeout: 300_000, // on a busy machine
    // The sandbox needs rights that containers lack, and the page is ours.
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(300_000);
    await page.goto(`http://127.0.0.1:${server.addr.port}/`, { waitUntil: "load" });
    const used = await page.evaluate("run()") as Used;
    checkUsed(used);
  } finally {
    await browser.close();
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});
