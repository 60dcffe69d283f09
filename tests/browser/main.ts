// Runs the tests of the kernels in headless Chromium, whose shader compiler and software adapter differ from Deno's: bundles
// the tests of tests/kernels and some of tests/tensor, serves them on loopback and prints the results that the page reports.
// The last line is `N passed, N failed`; the status is 0 if nothing failed, 2 if there is no Chromium. Arguments are parts
// of names: only tests whose name has one of them run. ESPALIER_SUBGROUPS is passed on.
import { findChromium } from "./chromium.ts";
import type { Report } from "./page.ts";

const SLOW = "Chromium's software adapter takes minutes to compile all tiles; GEMM alone is tested with one";

/** Tests that are skipped, with the reason; an ellipsis stands for the beginning of their names. */
export const SKIPPED: Record<string, string> = {
  "…, tile-64": SLOW,
  "…, tile-64-k2": SLOW,
  "…, tile-64x128": SLOW,
  "…, tile-128": SLOW,
  "attention, tile-32": SLOW,
  "conv1d, tile-32": SLOW,
  "linear, tile-32": SLOW,
  "qkvLinear, tile-32": SLOW,
  "positionalConv, tile-32": SLOW,
  "GEMM of 3×3 and 4×4 matrices equals wgpu-matrix, in every layout and by strides, tile-32": SLOW,
  "the kernels are measured on a GEMM of each class, and the fastest is chosen": SLOW,
  "a batch-invariant GEMM gives a row the same bits whatever other rows there are, with every kernel": SLOW,
  "every operation has shader, function, oracle, test and export, every shader a purpose":
    "it reads the folders of the checkout",
  "an operation that lacks a part is found": "it reads the folders of the checkout",
  "ctc propagates NaN": "WGSL lets a compiler assume that there is no NaN, and Chromium's does",
};

/** The tests of `tests/tensor` that depend on the implementation of WebGPU. */
const CORE = ["device_errors", "gpu", "gradient_sink", "read_back", "scope", "tape"];

/** Seconds that the tests may take: some 60 on two cores. */
const SECONDS = 290;
const ROOT = new URL("../../", import.meta.url);
const BUNDLE = "/bundle.js";
// An error that no test has caught, as of a module that does not load, ends the run.
const PAGE = `<!doctype html>
<title>Espalier</title>
<script>
  const end = (error) =>
    fetch("/report", { method: "POST", body: JSON.stringify({ kind: "end", error: String(error) }) });
  addEventListener("error", (event) => end(event.message));
  addEventListener("unhandledrejection", (event) => end(event.reason));
</script>
<script type="module" src="${BUNDLE}"></script>
`;

/** One script of the page's runner, then every test file, then the call that starts them. */
async function bundle(folder: string): Promise<string> {
  const address = (path: string) => JSON.stringify(new URL(path, ROOT).href);
  const tests = CORE.map((name) => `tests/tensor/${name}_test.ts`);
  for (const folder of ["tests/kernels/", "tests/kernels/gemm/", "tests/kernels/internal/"]) {
    for await (const { name } of Deno.readDir(new URL(folder, ROOT))) {
      if (name.endsWith("_test.ts")) tests.push(folder + name);
    }
  }
  const entry = `${folder}/entry.ts`;
  await Deno.writeTextFile(
    entry,
    [
      `import { run } from ${address("tests/browser/page.ts")};`,
      ...tests.sort().map((path) => `import ${address(path)};`),
      `await run(${JSON.stringify(SKIPPED)}, ${JSON.stringify(Deno.args)});`,
    ].join("\n"),
  );
  const output = `${folder}/bundle.js`;
  const config = new URL("deno.json", ROOT).pathname;
  const options = ["--quiet", "--no-lock", "--config", config, "--platform", "browser", "-o", output];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...options, entry],
    env: { NO_COLOR: "1" },
  }).output();
  if (!success) throw new Error(`Cannot bundle the tests: ${new TextDecoder().decode(stderr).trim()}`);
  return await Deno.readTextFile(output);
}

/** Serves the page, its script and the test data, and calls `receive` with each report. */
function serve(script: string, receive: (report: Report) => void): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const send = (body: BodyInit, type: string) => new Response(body, { headers: { "content-type": type } });
    if (request.method === "POST" && pathname === "/report") {
      receive(await request.json());
      return new Response();
    }
    if (pathname === "/") return send(PAGE, "text/html");
    if (pathname === BUNDLE) return send(script, "text/javascript");
    const data = /\/(testdata\/\w+\.safetensors)$/.exec(pathname); // the script has one address for all its files
    if (data) {
      return send(await Deno.readFile(new URL(`tests/${data[1]}`, ROOT)), "application/octet-stream");
    }
    return new Response(null, { status: 404 });
  });
}

/** Starts Chromium on a page. It ends when this process does, since it then loses its debugging pipe. */
function open(program: string, page: string, profile: string): Deno.ChildProcess {
  const flags = [
    "--headless=new",
    "--no-sandbox", // needs rights that containers lack, and the page is ours
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--remote-debugging-pipe",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    `--user-data-dir=${profile}`,
  ];
  return new Deno.Command("/bin/sh", {
    args: ["-c", 'exec "$0" "$@" 3<&0 4>/dev/null', program, ...flags, page],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function close(chromium: Deno.ChildProcess): Promise<void> {
  const timer = setTimeout(() => chromium.kill("SIGKILL"), 5000);
  await chromium.stdin.close().catch(() => {}); // it may have ended by itself
  await chromium.status;
  clearTimeout(timer);
}

async function remove(folder: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (attempt === 300) throw error; // Chromium's last helpers may still write for a moment
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function main(): Promise<number> {
  const program = await findChromium();
  if (!program) {
    console.error(
      "Chromium not found: install it (Debian: apt-get install chromium), or set CHROMIUM to its path",
    );
    return 2;
  }
  const start = performance.now();
  const over = Promise.withResolvers<string | null>();
  const timer = setTimeout(
    () => over.resolve(`The tests did not end within ${SECONDS} s`),
    SECONDS * 1000,
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => over.resolve(`The tests were stopped by ${signal}`));
  }
  let [passed, failed] = [0, 0];
  let running: string | null = null;
  const receive = (report: Report) => {
    switch (report.kind) {
      case "adapter":
        return console.log(
          `${program} on ${report.name}, ${report.subgroups ? "with" : "without"} subgroups`,
        );
      case "skipped":
        return console.log(`${report.name} ... skipped: ${report.why}`);
      case "start":
        running = report.name;
        return;
      case "result":
        running = null;
        if (report.error) failed++;
        else passed++;
        console.log(`${report.name} ... ${report.error ? "FAILED" : "ok"} (${Math.round(report.ms)}ms)`);
        if (report.error) console.log(report.error);
        return;
      case "end":
        return over.resolve(report.error);
    }
  };

  const folder = await Deno.makeTempDir();
  try {
    const server = serve(await bundle(folder), receive);
    const query = new URLSearchParams({ ESPALIER_SUBGROUPS: Deno.env.get("ESPALIER_SUBGROUPS") ?? "" });
    const chromium = open(program, `http://127.0.0.1:${server.addr.port}/?${query}`, `${folder}/profile`);
    const stderr = new Response(chromium.stderr).text();
    chromium.status.then(async () => over.resolve(`Cannot test as Chromium ended:\n${await stderr}`));
    const error = await over.promise;
    if (error !== null) {
      failed++;
      console.error(error + (running === null ? "" : `, in "${running}"`));
    }
    await close(chromium);
    await server.shutdown();
  } catch (error) {
    failed++;
    console.error(error instanceof Error ? error.message : error);
  } finally {
    clearTimeout(timer);
    await remove(folder);
  }
  console.log(`in ${Math.round((performance.now() - start) / 1000)} s`);
  console.log(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
