// A local hub with the interface of Hugging Face, and as there a second server for large files.
import { createHash } from "node:crypto";

/** A running hub: the failures to simulate, and the requests received. */
export interface Hub extends AsyncDisposable {
  readonly endpoint: string;
  /** Method and path of every request, with its range. */
  readonly requests: string[];
  /** Tokens that the large-file server received. */
  readonly leaked: string[];
  /** Number of bytes after which each of the next downloads of large files is cut. */
  readonly cuts: number[];
  /** Milliseconds between the pieces of a large file, of 64 KiB. */
  pace: number;
  /** What large files wait for. */
  ready: Promise<void>;
  /** Whether the large-file server supports ranges. */
  ranges: boolean;
  /** Replaces the response to every request to the hub. */
  answer: (() => Response) | null;
  /** Token required by the hub. */
  token: string | null;
  /** Hashes reported instead of the true ones, by file. */
  readonly hashes: Map<string, string>;
  /** Commit of `main`. */
  commit: string;
}

/** SHA-256 of a large file, SHA-1 of the git blob of a small one. */
export function hashOf(bytes: Uint8Array, large: boolean): string {
  if (large) return createHash("sha256").update(bytes).digest("hex");
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** Serves the files of one model, `org/name`. Weights are large files. Long because it is two servers with shared state. */
export function serveHub(files: Record<string, Uint8Array<ArrayBuffer>>): Hub {
  const quiet = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const isLarge = (file: string) => file.endsWith(".safetensors");
  const large = Deno.serve(quiet, async (request) => {
    const file = new URL(request.url).pathname.slice(1);
    const range = request.headers.get("range");
    hub.requests.push(`${request.method} large ${file}${range ? ` ${range}` : ""}`);
    const token = request.headers.get("authorization");
    if (token) hub.leaked.push(token);
    await hub.ready;
    const bytes = files[file]!;
    const start = hub.ranges ? Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0) : 0;
    if (start >= bytes.length) return new Response("no such range", { status: 416 });
    const headers = { "content-length": `${bytes.length - start}` };
    const ranged = { ...headers, "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` };
    const init = start > 0 ? { status: 206, headers: ranged } : { headers };
    return new Response(bodyOf(bytes.subarray(start), { cut: hub.cuts.shift(), pace: hub.pace }), init);
  });
  const server = Deno.serve(quiet, (request) => {
    const { pathname } = new URL(request.url);
    hub.requests.push(`${request.method} ${pathname}`);
    if (hub.answer) return hub.answer();
    if (hub.token && request.headers.get("authorization") !== `Bearer ${hub.token}`) {
      return new Response("", { status: 401, headers: { "x-error-code": "RepoNotFound" } });
    }
    if (/^\/api\/models\/org\/name\/revision\/(main|refs%2Fpr%2F1)$/.test(pathname)) {
      return Response.json({
        sha: hub.commit,
        siblings: Object.keys(files).map((rfilename) => ({ rfilename })),
      });
    }
    // Small files are redirected within the hub, large ones to the other server.
    const [, prefix, file] = /^(\/org\/name\/resolve\/[0-9a-f]{40}\/|\/small\/)(.+)$/.exec(pathname) ?? [];
    const bytes = files[file ?? ""];
    if (file === undefined || bytes === undefined) return new Response("no such file", { status: 404 });
    const hash = hub.hashes.get(file) ?? hashOf(bytes, isLarge(file));
    if (isLarge(file)) {
      const location = `http://127.0.0.1:${large.addr.port}/${file}`;
      const headers = { location, "x-linked-etag": `"${hash}"`, "x-linked-size": `${bytes.length}` };
      return new Response("elsewhere", { status: 302, headers });
    }
    if (prefix !== "/small/") {
      return new Response("moved", { status: 307, headers: { location: `/small/${file}` } });
    }
    const headers = { etag: `W/"${hash}"`, "content-length": `${bytes.length}` };
    return new Response(request.method === "HEAD" ? null : bytes, { headers });
  });
  const hub: Hub = {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    requests: [],
    leaked: [],
    cuts: [],
    pace: 0,
    ready: Promise.resolve(),
    ranges: true,
    answer: null,
    token: null,
    hashes: new Map(),
    commit: "0123456789abcdef0123456789abcdef01234567",
    async [Symbol.asyncDispose]() {
      await Promise.all([server.shutdown(), large.shutdown()]);
    },
  };
  return hub;
}

/** All bytes; with `cut`, the connection breaks after that many. */
function bodyOf(
  bytes: Uint8Array<ArrayBuffer>,
  { cut, pace }: { cut: number | undefined; pace: number },
): ReadableStream<Uint8Array> {
  const pieces = [bytes.subarray(0, cut)];
  for (const step = 2 ** 16; pace > 0 && pieces.at(-1)!.length > step;) {
    const rest = pieces.pop()!;
    pieces.push(rest.subarray(0, step), rest.subarray(step));
  }
  return new ReadableStream({
    async pull(controller) {
      if (pace > 0) await new Promise((resolve) => setTimeout(resolve, pace));
      const piece = pieces.shift();
      if (piece) return controller.enqueue(piece);
      // With fewer bytes than announced, the server breaks the connection after sending them.
      if (cut !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
      controller.close();
    },
  });
}
