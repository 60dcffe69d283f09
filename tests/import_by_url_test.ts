// The library as its users import it: mod.ts by address, from an empty folder, with no configuration.
import { assert, assertEquals } from "@std/assert";
import { encodeWav } from "../data/audio/wav_write.ts";

const root = new URL("../", import.meta.url);

const program = (address: string) => `
import { backward, matmul, requestGpu, sum } from ${JSON.stringify(address)};

const gpu = await requestGpu();
const a = gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
const b = gpu.tensor([1, -1, 0, 2, 3, 0.5], [3, 2]);
a.requiresGrad = b.requiresGrad = true;
const c = matmul(a, b);
const grads = backward(sum(c), { keep: [c] });
const values = async (tensor) => [...await tensor.read()];
console.log(JSON.stringify([await values(c), await values(grads.get(a)), await values(grads.get(b))]));
gpu.destroy();
`;

/** Serves the modules and shaders of the library as a plain web server does. */
async function file(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const model = /^\/(config\.json|model\.safetensors)$/.exec(pathname);
  if (pathname === "/speech.wav") {
    return new Response(encodeWav(new Int16Array(16_000).map((_, i) => i % 999), 16_000));
  }
  const asset = /^\/(deno\.json|assets\/commands-tiny\/[\w.]+)$/.exec(pathname);
  if (asset) return await bytesOf(asset[1]!);
  if (model) return new Response(await Deno.readFile(new URL(`tests/testdata/base/${model[1]}`, root)));
  const type = pathname.endsWith(".ts") ? "application/typescript" : "text/plain";
  if (
    !/^\/(mod\.ts|(files|random|tensor|kernels|model|prune|train|data|comm)\/[\w/]+\.(ts|wgsl|py))$/.test(
      pathname,
    )
  ) {
    return new Response(null, { status: 404 });
  }
  return await Deno.readTextFile(new URL(`.${pathname}`, root)).then(
    (text) => new Response(text, { headers: { "content-type": type } }),
    () => new Response(null, { status: 404 }),
  );
}

async function bytesOf(path: string): Promise<Response> {
  const headers = path.endsWith(".json") ? { "content-type": "application/json" } : {};
  return await Deno.readFile(new URL(path, root)).then(
    (bytes) => new Response(bytes, { headers }),
    () => new Response(null, { status: 404 }),
  );
}

/** Runs a program that imports the library from a loopback server, in an empty folder, and returns what it printed. */
async function runByAddress(
  program: (host: string) => string,
  allowed: readonly string[] = [],
  prepare: (folder: string) => Promise<void> = () => Promise.resolve(),
): Promise<unknown> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, file);
  const host = `127.0.0.1:${server.addr.port}`;
  const folder = await Deno.makeTempDir();
  try {
    await prepare(folder);
    await Deno.writeTextFile(`${folder}/main.ts`, program(host));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-lock",
        `--reload=http://${host}`,
        `--allow-import=${host}`,
        `--allow-net=${host}`,
        ...allowed,
        "main.ts",
      ],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(code, 0, decoder.decode(stderr));
    return JSON.parse(decoder.decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("mod.ts imported by URL from an empty folder computes a matmul and its gradients", async () => {
  assertEquals(await runByAddress((host) => program(`http://${host}/mod.ts`)), [
    [10, 4.5, 22, 9],
    [0, 2, 3.5, 0, 2, 3.5],
    [5, 5, 7, 7, 9, 9],
  ]);
});

Deno.test("a model runs from files in memory, imported by URL", async () => {
  const found = await runByAddress((host) => `
    import { loadModel } from "http://${host}/mod.ts";

    const get = async (name) => new Uint8Array(await (await fetch("http://${host}/" + name)).arrayBuffer());
    const names = ["config.json", "model.safetensors"];
    const files = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await get(name)])));
    files["vocab.json"] = new TextEncoder().encode('{ "<pad>": 0, "|": 1, "A": 2, "B": 3, "<x>": 10 }');
    const model = await loadModel({ files });
    const { text, words } = await model.transcribe(Float32Array.from({ length: 8000 }, (_, i) => Math.sin(i * i)));
    console.log(JSON.stringify([model.model.head, typeof text, words.length === text.split(" ").filter(Boolean).length]));
    model.dispose();
  `);
  assertEquals(found, ["ctc", "string", true]);
});

const PRUNES = (host: string) => `
import { decodeAudio, loadModel, prune } from "http://${host}/mod.ts";

const wav = new Uint8Array(await (await fetch("http://${host}/speech.wav")).arrayBuffer());
const tone = (i) => Float32Array.from({ length: 16_000 + 800 * i }, (_, t) => Math.sin(t * (i + 2) / 20));
const train = ["LIGHT ON", "LIGHT OFF", "STOP"].map((text, i) => ({ audio: tone(i), text }));
const test = [{ audio: wav, text: "LIGHT ON" }];
using model = await loadModel("http://${host}/assets/commands-tiny/");
const options = { train, test, target: 0.3, steps: 3, finetuneSteps: 2, batchSeconds: 4, seconds: 1, dropout: 0.1 };
const { compact, report } = await prune(model, options);
await compact.save("compact");
using again = await loadModel("compact");
const { text } = await again.transcribe(await decodeAudio(wav));
console.log(JSON.stringify([text, report.models.length, report.constraints[0].removed, again.model.config]));
`;

Deno.test("fifteen lines that import mod.ts by URL prune, save, load and transcribe", async () => {
  assert(PRUNES("host").trim().split("\n").filter((line) => line !== "").length <= 15);
  const found = await runByAddress(PRUNES, ["--allow-read=.", "--allow-write=."]);
  const [text, models, removed, config] = found as [string, number, number, Record<string, unknown>];
  assertEquals([typeof text, models], ["string", 3]);
  assert(Math.abs(removed - 0.3) < 0.05, `${removed} of the MACs are removed`);
  const dense = JSON.parse(await Deno.readTextFile(new URL("assets/commands-tiny/config.json", root)));
  assertEquals(config["hidden_dropout"], dense.hidden_dropout);
});

Deno.test("the lines of the README prune and transcribe", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", root));
  const [, lines] = /## Library[\s\S]*?```ts[^\n]*\n([\s\S]*?)```/.exec(readme)!;
  assert(lines!.trim().split("\n").filter((line) => line !== "").length <= 8, lines);
  const inPlaceOf = (host: string): readonly (readonly [string, string])[] => [
    ["https://example.com/espalier/mod.ts", `http://${host}/mod.ts`],
    ["facebook/wav2vec2-base-960h", `http://${host}/assets/commands-tiny/`],
    ["LibriSpeech", "corpus"],
    ["steps: 2000", "steps: 2, batchSeconds: 4, seconds: 1"],
    ["speech.flac", "corpus/speech.wav"],
    ["console.log(text, words[0]?.start, words[0]?.confidence)", "console.log(JSON.stringify(typeof text))"],
    ["console.log(report", "console.assert(report"],
  ];
  const program = (host: string) =>
    inPlaceOf(host).reduce((text, [from, to]) => {
      assert(text.includes(from), `the README has no ${from}`);
      return text.replace(from, to);
    }, lines!);
  const found = await runByAddress(program, ["--allow-read", "--allow-write"], async (folder) => {
    await Deno.mkdir(`${folder}/corpus`);
    await Deno.writeFile(
      `${folder}/corpus/speech.wav`,
      encodeWav(new Int16Array(16_000).map((_, i) => i), 16_000),
    );
    const row = JSON.stringify({ audio: "speech.wav", text: "light on" });
    for (const name of ["train", "dev", "test"]) {
      await Deno.writeTextFile(`${folder}/corpus/${name}.jsonl`, row);
    }
  });
  assertEquals(found, "string");
});
