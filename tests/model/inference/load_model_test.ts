import { assertEquals, assertRejects } from "@std/assert";
import { loadModel } from "../../../model/inference/load_model.ts";
import { testGpu } from "../../gpu.ts";

const folder = new URL("../../testdata/base/", import.meta.url);
const VOCAB = '{ "<pad>": 0, "|": 1, "A": 2, "B": 3, "<x>": 10 }';

/** Serves the files of the model, some of them missing. */
function serve(missing: readonly string[] = []) {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const name = new URL(request.url).pathname.replace("/model/", "");
    asked.push(name);
    if (name === "vocab.json") return new Response(VOCAB);
    if (missing.includes(name)) return new Response(null, { status: 404 });
    return await Deno.readFile(new URL(name, folder)).then(
      (bytes) => new Response(bytes),
      () => new Response(null, { status: 404 }),
    );
  });
  return { server, asked, url: `http://127.0.0.1:${server.addr.port}/model` };
}

Deno.test("a model is loaded from a URL, as text or URL, with progress", async () => {
  const gpu = await testGpu();
  const { server, url } = serve();
  await using _ = server;
  const seen = new Map<string, number>();
  const onProgress = ({ file, received }: { file: string; received: number }) =>
    void seen.set(file, received);
  for (const source of [url, new URL(`${url}/`)]) {
    using model = await loadModel(source, { gpu, onProgress });
    assertEquals([model.model.head, model.tokenizer?.padId], ["ctc", 0]);
  }
  assertEquals(seen.get("model.safetensors"), (await Deno.stat(new URL("model.safetensors", folder))).size);
});

Deno.test("a URL without a model is refused in one line", async () => {
  const gpu = await testGpu();
  const { server, url, asked } = serve(["model.safetensors"]);
  await using _ = server;
  await assertRejects(
    () => loadModel(url, { gpu }),
    Error,
    "model.safetensors or pytorch_model.bin is required",
  );
  assertEquals(asked.slice(-4), [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
  ]);
  await assertRejects(
    () => loadModel(`${url}/none`, { gpu }),
    Error,
    "config.json is required: it is missing",
  );
  await assertRejects(
    () => loadModel(new URL("file:///tmp"), { gpu }),
    Error,
    "must be http or https: it is file:",
  );
  const signal = AbortSignal.abort(new Error("no longer wanted"));
  await assertRejects(() => loadModel(url, { gpu, signal }), Error, "no longer wanted");
});

Deno.test("a disposed model reports that it was disposed", async () => {
  const gpu = await testGpu();
  const { server, url } = serve();
  await using _ = server;
  const model = await loadModel(url, { gpu });
  model.dispose();
  const message = `Cannot transcribe: ${url} was disposed`;
  await assertRejects(() => model.transcribe(new Float32Array(16_000)), TypeError, message);
});
