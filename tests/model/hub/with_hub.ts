// A local hub with an empty cache, for the tests of downloads.
import { assert, assertRejects } from "@std/assert";
import { fetchModel, HubError, type HubOptions } from "../../../model/hub/fetch_model.ts";
import { hashOf, type Hub, serveHub } from "./hub_server.ts";

/** UTF-8 bytes of a text. */
export const encode = (text: string) => new TextEncoder().encode(text);
/** Content of the weights. */
export const weights = Uint8Array.from({ length: 300_000 }, (_, i) => i * i % 251);

/** Files of the model, and two that are not downloaded. */
export const FILES = {
  "config.json": encode('{"model_type":"wav2vec2"}'),
  "vocab.json": encode('{"<pad>":0}'),
  "model.safetensors": weights,
  "README.md": encode("not needed"),
  "pytorch_model.bin": encode("never loaded"),
};

/** Starts a hub with an empty cache; `get` downloads the model. */
export async function withHub(
  use: (given: { hub: Hub; cache: string; get: (options?: HubOptions) => Promise<string> }) => Promise<void>,
  files: Record<string, Uint8Array<ArrayBuffer>> = FILES,
): Promise<void> {
  await using hub = serveHub(files);
  const cache = await Deno.makeTempDir();
  const get = (options: HubOptions = {}) => {
    return fetchModel("org/name", {
      endpoint: hub.endpoint,
      cacheFolder: cache,
      token: "",
      retryDelay: 1,
      ...options,
    });
  };
  try {
    await use({ hub, cache, get });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

/** Folder of the model in the cache. */
export const model = "models--org--name";
/** Hash of the weights. */
export const large = hashOf(weights, true);
/** Names of the files of a folder, sorted. */
export const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
/** Requests for the content of large files. */
export const downloads = (hub: Hub) => hub.requests.filter((request) => request.startsWith("GET large"));

/** Asserts that a download fails with a HubError of one line. */
export async function failsWith(run: () => Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await assertRejects(run, HubError);
  assert(pattern.test(error.message), error.message);
  assert(!error.message.includes("\n"));
}
