// Opens the page of `web` in headless Chromium, from a static server, under a folder of the server.
import { type Browser, chromium, type Page } from "npm:playwright-core@1.65.1";
import { EMBEDDED_COMPACT, EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { buildSite } from "../../cli/web_site.ts";
import { writeSite } from "../../cli/web_serve.ts";
import { findChromium } from "../browser/chromium.ts";

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html",
  js: "text/javascript",
  json: "application/json",
};

/** Milliseconds that the browser may take to start, and the page for each step: its shaders are compiled in software. */
const PATIENCE = 300_000;

/** The page in a browser. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Address of the page. */
  readonly url: string;
  /** Addresses of all requests so far. */
  readonly requests: readonly string[];
  /** Bytes that the server sent. */
  sent(): number;
}

/** Options of {@linkcode openPage}. */
export interface OpenOptions {
  /** Size of the window in CSS pixels. */
  readonly viewport?: { readonly width: number; readonly height: number };
  /** WAV file for the microphone. */
  readonly microphone?: string;
  /** Runs in the page before its own script. */
  readonly before?: () => void;
}

/**
 * Builds the page of the embedded models and opens it.
 *
 * @throws {Error} There is no Chromium.
 */
export async function openPage({ viewport, microphone, before }: OpenOptions = {}): Promise<OpenPage> {
  const executablePath = await findChromium();
  if (!executablePath) throw new Error("Chromium not found: install it, or set CHROMIUM to its path");
  const folder = await Deno.makeTempDir({ prefix: "espalier-web-" });
  const models = [{ title: "Dense", model: EMBEDDED_DENSE }, { title: "Compact", model: EMBEDDED_COMPACT }];
  await writeSite(await buildSite(models), `${folder}/page`);
  let sent = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const name = /^\/some\/folder\/((?:[\w-]+\/)*[\w.-]*)$/.exec(pathname)?.[1];
    if (name === undefined) return new Response(null, { status: 404 });
    const file = name === "" ? "index.html" : name;
    const bytes = await Deno.readFile(`${folder}/page/${file}`).catch(() => null);
    if (!bytes) return new Response(null, { status: 404 });
    sent += bytes.length;
    const type = TYPES[file.split(".").at(-1)!] ?? "application/octet-stream";
    return new Response(bytes, { headers: { "content-type": type } });
  });
  const browser: Browser = await chromium.launch({
    executablePath,
    timeout: PATIENCE,
    args: [
      "--no-sandbox", // needs rights that containers lack, and the page is ours
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--disable-dev-shm-usage",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      ...microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${microphone}`],
    ],
  });
  const page = await browser.newPage({ ...viewport && { viewport } });
  page.setDefaultTimeout(PATIENCE);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  if (before) await page.addInitScript(before);
  const url = `http://127.0.0.1:${server.addr.port}/some/folder/`;
  await page.goto(url);
  return {
    page,
    url,
    requests,
    sent: () => sent,
    async [Symbol.asyncDispose]() {
      await browser.close();
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Waits until the models are loaded. */
export async function ready(page: Page): Promise<void> {
  await page.getByText("Ready", { exact: true }).waitFor();
}

/** Drops a file onto the page, as a user does. */
export async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const data = await page.evaluateHandle(
    // Runs in the page, whose types are the browser's.
    `(() => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(${JSON.stringify(bytes.toBase64())}), (one) => one.charCodeAt(0));
      data.items.add(new File([bytes], ${JSON.stringify(name)}));
      return data;
    })()`,
  );
  await page.dispatchEvent("#input", "drop", { dataTransfer: data });
}
