import { variants } from "../../full.ts";
import { assert, assertRejects } from "@std/assert";
import { fetchFiles } from "../../../model/inference/fetch_files.ts";
import { HubError } from "../../../model/hub/fetch_model.ts";

const chunk = new Uint8Array(1 << 20).fill(32);

/** A body that sends a chunk at an interval in milliseconds; it does not end. */
function endless(bytes: Uint8Array, interval: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, interval));
      controller.enqueue(bytes);
    },
  });
}

Deno.test({
  name: "a server that stalls or does not end is given up",
  // Bodies without an end are open when the server is shut down.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    let file: () => Response | Promise<Response> = () => new Response();
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      return request.url.endsWith("/config.json") ? file() : new Response(null, { status: 404 });
    });
    const url = new URL(`http://127.0.0.1:${server.addr.port}/model`);
    // Milliseconds of the time limit, where another one than that of downloads; a busy machine must not reach it by itself.
    type Fault = [() => Response | Promise<Response>, RegExp, number?];
    const faults: Fault[] = [
      [
        () => new Response(endless(chunk, 0)),
        /config\.json as it must have at most 8 MiB: the server sends more$/,
      ],
      [
        () => new Response(endless(chunk.subarray(0, 1), 20)),
        /config\.json: the connection is too slow, \d+ bytes\/s/,
        1000,
      ],
      [() => new Response(endless(chunk, 1e6)), /config\.json: connection lost, no data for 0\.2 s$/, 200],
      [() => new Promise<Response>(() => {}), /config\.json: no response in 0\.2 s$/, 200],
      [() => new Response(null, { status: 500 }), /config\.json: HTTP 500$/],
      [
        () => new Response(null, { status: 302, headers: { location: "file:///etc/passwd" } }),
        /config\.json: /,
      ],
    ];
    const check = async ([fault, message, timeout]: Fault) => {
      file = fault;
      const error = await assertRejects(
        () => fetchFiles(url, timeout === undefined ? {} : { timeout }),
        HubError,
      );
      assert(message.test(error.message) && error.message.startsWith("Cannot load http:"), error.message);
      assert(!error.message.includes("\n"));
    };
    const [size, , , , status, redirect] = faults as [Fault, Fault, Fault, Fault, Fault, Fault];
    for (const fault of variants(faults, size, status, redirect)) await check(fault);
    await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, 100))]);
  },
});
