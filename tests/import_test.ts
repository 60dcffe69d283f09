// The library as a stranger uses it: mod.ts by address, from an empty folder, with no configuration.
import { assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

const program = (address: string) => `
import { backward, matmul, requestGpu, sum } from ${JSON.stringify(address)};

const gpu = await requestGpu();
const a = gpu.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
const b = gpu.tensor([1, -1, 0, 2, 3, 0.5], [3, 2]);
a.requiresGrad = b.requiresGrad = true;
const c = matmul(a, b);
const grads = backward(sum(c), { keep: [c] });
const numbers = async (tensor) => [...await tensor.read()];
console.log(JSON.stringify([await numbers(c), await numbers(grads.get(a)), await numbers(grads.get(b))]));
gpu.destroy();
`;

/** Hands out the modules and shaders of the library as a plain web server does. */
async function file(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const type = pathname.endsWith(".ts") ? "application/typescript" : "text/plain";
  if (!/^\/(mod\.ts|(tensor|kernels|model|prune|train|data)\/[\w/]+\.(ts|wgsl))$/.test(pathname)) {
    return new Response(null, { status: 404 });
  }
  return await Deno.readTextFile(new URL(`.${pathname}`, root)).then(
    (text) => new Response(text, { headers: { "content-type": type } }),
    () => new Response(null, { status: 404 }),
  );
}

Deno.test("mod.ts imported by URL from an empty folder computes a product and its gradients", async () => {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, file);
  const host = `127.0.0.1:${server.addr.port}`;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/main.ts`, program(`http://${host}/mod.ts`));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-config",
        "--no-lock",
        `--reload=http://${host}`,
        `--allow-import=${host}`,
        "main.ts",
      ],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assertEquals(code, 0, decoder.decode(stderr));
    assertEquals(JSON.parse(decoder.decode(stdout)), [
      [10, 4.5, 22, 9],
      [0, 2, 3.5, 0, 2, 3.5],
      [5, 5, 7, 7, 9, 9],
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
