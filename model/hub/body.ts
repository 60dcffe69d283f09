// Reads the bodies of responses with bounds on their size, on the time without data, and on the speed.
import { printable } from "../../files/printable.ts";
import { HubError } from "./cache.ts";
import { type HubAccess, NetworkError } from "./request.ts";

/** Bytes per second, over the time limit of a connection, below which it is given up. */
export const MIN_RATE = 1024;

/** Maximum size of configs, vocabularies and indexes in bytes; they are read as a whole. */
export const MAX_JSON = 8 * 2 ** 20;
/** Maximum size of weights in bytes where the server does not state it. */
export const MAX_UNSTATED = 256 * 2 ** 20;

/** What a body is for, and its bounds. */
export interface BodyOptions {
  /** What the request is for, for error messages, such as "download a/b". */
  readonly task: string;
  /** Maximum size in bytes. */
  readonly limit: number;
  /** The rule that a longer body breaks, for error messages. */
  readonly rule: string;
}

/**
 * The chunks of a body.
 *
 * @throws {NetworkError} If the connection is lost, sends nothing for the time limit, or less than {@linkcode MIN_RATE}.
 * @throws {HubError} If the body is longer than the limit; the chunk beyond it is not returned.
 */
export async function* chunksOf(
  access: Pick<HubAccess, "timeout">,
  response: Response,
  { task, limit, rule }: BodyOptions,
): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let size = 0;
  // Bytes and waiting time of the current window; the time that the caller takes does not count.
  let received = 0;
  let waited = 0;
  try {
    for (;;) {
      const start = performance.now();
      const value = await readChunk(reader, access.timeout, task);
      if (value === undefined) return;
      size += value.length;
      if (size > limit) throw new HubError(`Cannot ${task} as ${rule}: the server sends more`);
      yield value;
      received += value.length;
      waited += performance.now() - start;
      if (waited < access.timeout) continue;
      if (received < MIN_RATE * waited / 1000) {
        const rate = Math.round(1000 * received / waited);
        throw new NetworkError(
          `Cannot ${task}: the connection is too slow, ${rate} bytes/s for ${Math.round(waited / 1000)} s`,
        );
      }
      received = waited = 0;
    }
  } finally {
    // A server that stalls may never confirm it.
    reader.cancel().catch(() => {});
  }
}

/** The next chunk; undefined at the end. */
async function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  timeout: number,
  task: string,
): Promise<Uint8Array | undefined> {
  const { promise: stalled, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no data for ${timeout / 1000} s`)), timeout);
  try {
    return (await Promise.race([reader.read(), stalled])).value;
  } catch (error) {
    throw new NetworkError(`Cannot ${task}: connection lost, ${printable((error as Error).message)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** A body as text. @throws {HubError} As {@linkcode chunksOf}. */
export async function readText(access: HubAccess, response: Response, options: BodyOptions): Promise<string> {
  const chunks = await Array.fromAsync(chunksOf(access, response, options));
  return await new Blob(chunks as BlobPart[]).text();
}
