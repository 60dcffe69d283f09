// Serves the page of `web` on loopback, or writes it for a static web server.
import { fileError, makeFolder, writeFileAtomic } from "../files/atomic_file.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";
import type { SiteFile, SiteFiles } from "./web_site.ts";
import { UserError } from "./user_error.ts";

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css",
  flac: "audio/flac",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  json: "application/json",
};

/** Options of {@linkcode serveSite}. */
export interface ServeOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Called with the address of the page. */
  readonly onListen: (address: string) => void;
  /** Ends the server; a signal to the process does, too. */
  readonly signal?: AbortSignal;
}

/**
 * Serves the files on 127.0.0.1.
 *
 * @throws {UserError} the port is taken or not allowed
 */
export async function serveSite(files: SiteFiles, { port, onListen, signal }: ServeOptions): Promise<void> {
  try {
    const server = Deno.serve({
      hostname: "127.0.0.1",
      port,
      ...signal && { signal },
      onListen: (address) => onListen(`http://127.0.0.1:${address.port}/`),
    }, (request) => answer(files, request));
    await server.finished;
  } catch (error) {
    const isTaken = error instanceof Deno.errors.AddrInUse;
    if (!isTaken && !(error instanceof Deno.errors.PermissionDenied)) throw error;
    const found = isTaken ? "is in use" : "is not allowed";
    throw new UserError(`Cannot serve as --port must be free: ${port} ${found}`, { cause: error });
  }
}

/** Only the files in the map are served, whatever the address. */
async function answer(files: SiteFiles, { method, url }: Request): Promise<Response> {
  if (method !== "GET" && method !== "HEAD") return new Response("method not allowed\n", { status: 405 });
  const { pathname } = new URL(url);
  const name = decodePath(pathname).slice(1) || "index.html";
  const file = files.get(name);
  if (!file) return new Response("not found\n", { status: 404 });
  const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
  const headers = {
    "content-type": type,
    "content-length": String(file.size),
    "x-content-type-options": "nosniff",
  };
  return new Response(method === "HEAD" ? null : await bodyOf(file), { headers });
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

async function bodyOf(file: SiteFile): Promise<BodyInit> {
  return "bytes" in file ? file.bytes : (await Deno.open(file.path)).readable;
}

/**
 * Writes the files into a new folder.
 *
 * @throws {Error} the system refuses; one line
 */
export async function writeSite(files: SiteFiles, out: string): Promise<void> {
  await writeWholeFolder(out, async (partial) => {
    for (const [name, file] of files) {
      const path = `${partial}/${name}`;
      await makeFolder(path.replace(/\/[^/]*$/, ""));
      if ("bytes" in file) await writeFileAtomic(path, [file.bytes]);
      else {
        await Deno.copyFile(file.path, path).catch((error) => {
          throw fileError("write", path, error);
        });
      }
    }
  });
}
