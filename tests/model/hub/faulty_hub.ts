// A hub with a fault for each name in FAULTS: the first folder of the path selects it, so that one server has them all.
import { hashOf } from "./hub_server.ts";

/** How a hub misbehaves, and what the download is to end in. */
interface Fault {
  /** Response in place of the list of files. */
  readonly list?: (hub: Address) => BodyInit | Response | Promise<Response>;
  /** Response in place of `config.json` or its headers. */
  readonly config?: (hub: Address, isHead: boolean) => Response | Promise<Response>;
  /** Name of the shard in an index that takes the place of the weights. */
  readonly shard?: string;
  /** Size that the headers of the weights state. */
  readonly weightsSize?: number;
  /** Milliseconds of the time limit of a connection; default that of downloads, so that a busy machine never reaches it. */
  readonly timeout?: number;
  /** Message of the error; null if the download succeeds. */
  readonly error: RegExp | null;
}

/** Addresses of the hub, its fault included, and of another server. */
interface Address {
  readonly own: string;
  readonly other: string;
}

const encode = (text: string) => new TextEncoder().encode(text);
const files: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "config.json": encode(JSON.stringify({ model_type: "wav2vec2", padding: "x".repeat(20_000) })),
  "model.safetensors": Uint8Array.from({ length: 5000 }, (_, i) => i * i % 251),
};
const config = files["config.json"]!;
const etag = `"${hashOf(config, false)}"`;
const COMMIT = "00112233445566778899aabbccddeeff00112233";

const list = (names: readonly string[]) =>
  JSON.stringify({ sha: COMMIT, siblings: names.map((rfilename) => ({ rfilename })) });
const answer = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Response(body, { headers });
const redirect = (location: string) => new Response(null, { status: 302, headers: { location } });
const never = () => new Promise<Response>(() => {});

/** A body that sends `text` and then nothing; it does not end. */
const stalled = (text: string) =>
  new ReadableStream({ start: (controller) => controller.enqueue(encode(text)) });
/** A body that repeats `chunk` at an interval in milliseconds; it does not end. */
const endless = (chunk: Uint8Array = new Uint8Array(1 << 20).fill(32), interval = 0) =>
  new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, interval));
      controller.enqueue(chunk);
    },
  });
const trickle = () => endless(encode(" "), 25);

/** A compressed body of 64 MB in some 60 kB. */
const bomb = await new Response(
  new Blob([new Uint8Array(64_000_000)]).stream().pipeThrough(new CompressionStream("gzip")),
).arrayBuffer();
const gzip = { "content-encoding": "gzip" };

/** Headers of the config to HEAD, and a body of the wrong kind to GET. */
const falseBody = (body: () => BodyInit, hasSize: boolean, headers: Record<string, string> = {}) => {
  return (_: Address, isHead: boolean) =>
    // Without a body, the server states a size of 0.
    answer(!isHead ? body() : hasSize ? null : stalled(""), {
      etag,
      ...headers,
      ...hasSize && isHead ? { "content-length": `${config.length}` } : {},
    });
};
/** A redirect as for large files, whose headers state hash and size. */
const linked = (location: string) =>
  new Response(null, {
    status: 302,
    headers: { location, "x-linked-etag": etag, "x-linked-size": `${config.length}` },
  });

const NOT_A_LIST = /^Cannot download org\/name from http:\S+: the response is not a list of files$/;
const BAD_TARGET = / as a redirect must lead to an http or https URL: 127\.0\.0\.1:\d+ redirects to /;
const STALLED = { timeout: 300, error: /: connection lost, no data for 0\.3 s$/ };
// Data come many times within the limit, also where the machine is busy.
const SLOW = { timeout: 600, error: /: the connection is too slow, \d+ bytes\/s for \d+ s$/ };
const SILENT = { timeout: 300, error: /: 127\.0\.0\.1:\d+ cannot be reached, no response in 0\.3 s$/ };
const WRONG_HASH =
  /^Cannot download config\.json of org\/name as its hash must be [0-9a-f]+: it is [0-9a-f]+$/;
const BAD_SHARD = /^Cannot read the index as it must list the files of the weights: "[^"]+"$/;

/** Each fault, by name. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  "list: a sign-in page": { list: () => "<!DOCTYPE html><h1>Sign in", error: NOT_A_LIST },
  "list: null": { list: () => "null", error: NOT_A_LIST },
  "list: deeply nested": { list: () => "[".repeat(3_000_000), error: NOT_A_LIST },
  "list: odd entries": {
    list: () => list(Object.keys(files)).replace("[", '[null,1,"a",{"rfilename":{}},'),
    error: null,
  },
  "list: stalls": { list: () => answer(stalled('{"sha":"')), ...STALLED },
  "list: no response": { list: never, ...SILENT },
  "list: trickles": { list: () => answer(trickle()), ...SLOW },
  "list: endless": {
    list: () => answer(endless()),
    error: /list of files must have at most 4 MiB: the server sends/,
  },
  "list: compressed zeros": { list: () => answer(bomb, gzip), error: NOT_A_LIST },
  "list: on another server": { list: ({ other }) => redirect(`${other}/list`), error: null },
  "list: on another name": {
    list: ({ other }) => redirect(`${other.replace("127.0.0.1", "localhost")}/list`),
    error: null,
  },
  "list: redirect to no URL": { list: () => redirect("http://[x"), error: BAD_TARGET },
  "list: redirect to a file": { list: () => redirect("file:///etc/passwd"), error: BAD_TARGET },
  "list: redirect to data": {
    list: () => redirect(`data:application/json,${list(Object.keys(files))}`),
    error: BAD_TARGET,
  },
  "list: redirect to itself": { list: () => redirect(""), error: /: more than 10 redirects$/ },
  "list: control characters": {
    list: () => new Response(null, { status: 403, headers: { "x-error-message": "\u009b31mred" } }),
    error: /denies access \(HF_TOKEN has no access\): HTTP 403, [\x20-\x7e]+$/,
  },
  "index: a parent folder": { shard: "../../x.safetensors", error: BAD_SHARD },
  "index: an absolute path": { shard: "/etc/passwd", error: BAD_SHARD },
  "index: a sub-folder": { shard: "a/b.safetensors", error: BAD_SHARD },
  "index: a missing file": {
    shard: "x.safetensors",
    error: /^Cannot download x\.safetensors of org\/name: not found at .+HTTP 404$/,
  },
  "file: on another server": { config: ({ other }) => linked(`${other}/config.json`), error: null },
  "file: there and back": {
    config: ({ own, other }) => linked(`${other}/back?to=${own}/plain/config.json`),
    error: null,
  },
  "file: redirect to no URL": { config: () => linked("http://[x"), error: BAD_TARGET },
  "file: a path as hash": {
    config: (_, isHead) => answer(isHead ? null : config, { etag: '"../../../../x"' }),
    error: /^Cannot download config\.json of org\/name from http:\S+: the hash is \.\.\/\.\.\/\.\.\/\.\.\/x$/,
  },
  "file: an unknown hash": {
    config: (_, isHead) => answer(isHead ? null : "<html>", { etag: '"abc"' }),
    error: /^Cannot download config\.json of org\/name from http:\S+: the hash is abc$/,
  },
  "file: a sign-in page": { config: falseBody(() => "<html>Sign in", false), error: WRONG_HASH },
  "file: too short": {
    config: falseBody(() => config.subarray(0, 10), true),
    error: /as its size must be 20038 bytes: the connection ended after 10$/,
  },
  "file: too long": {
    config: falseBody(() => endless(), true),
    error: /as its size must be 20038 bytes: the server sends more$/,
  },
  "file: endless": {
    config: falseBody(() => endless(), false),
    error: /as a file of unstated size must have at most 8 MiB: the server sends more$/,
  },
  "file: stated size beyond reason": {
    config: (_, isHead) => answer(isHead ? null : endless(), { etag, "x-linked-size": "9000000000" }),
    error: /as it must have at most 8 MiB: it has 9000000000 bytes$/,
  },
  "weights: larger than the disk": {
    weightsSize: 2 ** 52,
    error:
      /^Cannot download model\.safetensors of org\/name as it takes [\d.]+ GB of disk: \/.+ has [\d.]+ GB left$/,
  },
  "file: compressed zeros": { config: falseBody(() => bomb, false, gzip), error: WRONG_HASH },
  "file: stalls": { config: falseBody(() => stalled("{"), true), ...STALLED },
  "file: trickles": { config: falseBody(trickle, true), ...SLOW },
  "file: no headers": {
    config: (_, isHead) => isHead ? never() : answer(config, { etag }),
    ...SILENT,
  },
  "file: slow, but fast enough": {
    config: (_, isHead) =>
      answer(isHead ? null : inPieces(config), { etag, "content-length": `${config.length}` }),
    timeout: 1000, // the body takes longer
    error: null,
  },
};

/** A body in thirty pieces. */
function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at += Math.ceil(bytes.length / 30)));
    },
  });
}

/** A running hub. */
export interface FaultyHub extends AsyncDisposable {
  /** URL of the hub with a fault. */
  endpoint(fault: string): string;
  /** Credentials that the other server received. */
  readonly leaked: string[];
}

/** Serves the hub and the other server. */
export function serveFaultyHub(): FaultyHub {
  const quiet = { port: 0, hostname: "127.0.0.1", onListen: () => {} };
  const leaked: string[] = [];
  const other = Deno.serve(quiet, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    for (const name of ["authorization", "cookie"]) {
      if (request.headers.has(name)) leaked.push(request.headers.get(name)!);
    }
    if (pathname === "/back") return redirect(searchParams.get("to")!);
    return answer(pathname === "/list" ? list(Object.keys(files)) : config);
  });
  const hub: Deno.HttpServer<Deno.NetAddr> = Deno.serve(quiet, (request) => {
    const [name = "", ...path] = new URL(request.url).pathname.slice(1).split("/").map(decodeURIComponent);
    const address = {
      own: `http://127.0.0.1:${hub.addr.port}/${name}`,
      other: `http://127.0.0.1:${other.addr.port}`,
    };
    return respond(FAULTS[name]!, path, address, request.method === "HEAD");
  });
  return {
    endpoint: (fault) => `http://127.0.0.1:${hub.addr.port}/${encodeURIComponent(fault)}`,
    leaked,
    async [Symbol.asyncDispose]() {
      // Bodies without an end never finish by themselves.
      await Promise.race([
        Promise.all([hub.shutdown(), other.shutdown()]),
        new Promise((resolve) => setTimeout(resolve, 200)),
      ]);
    },
  };
}

async function respond(
  fault: Fault,
  path: readonly string[],
  address: Address,
  isHead: boolean,
): Promise<Response> {
  if (path[0] === "api") {
    const listed = await fault.list?.(address);
    const weights = fault.shard === undefined ? "model.safetensors" : "model.safetensors.index.json";
    return listed instanceof Response ? listed : answer(listed ?? list(["config.json", weights]));
  }
  const file = path.at(-1)!;
  if (file === "config.json" && fault.config && path[0] !== "plain") {
    return await fault.config(address, isHead);
  }
  const bytes = file.endsWith(".index.json")
    ? encode(JSON.stringify({ weight_map: { weight: fault.shard } }))
    : files[file];
  if (!bytes) return new Response(null, { status: 404 });
  return answer(isHead ? null : bytes, {
    etag: `"${hashOf(bytes, false)}"`,
    "content-length": `${bytes.length}`,
    ...fault.weightsSize !== undefined && file === "model.safetensors" &&
      { "x-linked-size": `${fault.weightsSize}` },
  });
}
