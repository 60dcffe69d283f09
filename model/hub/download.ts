// Downloads of single files: resumed where they stopped, and checked.
import { createHash } from "node:crypto";
import { HubError, sizeOf } from "./cache.ts";
import { ask, type HubAccess, NetworkError } from "./request.ts";

/** A file to download. */
export interface Download {
  /** Address at the hub. */
  readonly url: string;
  /** What it is called in errors. */
  readonly name: string;
  /** Where it goes. */
  readonly path: string;
  /** SHA-256 of its bytes (64 hexadecimal digits), or SHA-1 of it as a git blob (40). */
  readonly hash: string;
  /** Bytes, where the hub says. */
  readonly size: number | null;
}

/** How often a broken connection is taken up again without any progress, and the first wait in milliseconds. */
const TRIES = 5;

/**
 * Downloads a file into `path`. Until it is complete and checked it is `path` with `.incomplete`, which a later
 * call goes on with. Of several processes one downloads, and the others wait.
 *
 * @param onProgress Told how many bytes there are.
 * @throws {HubError} If the hub, the network or the disk fails, or the file is not what the hub said.
 */
export async function download(
  access: HubAccess,
  file: Download,
  onProgress: (received: number) => void,
  wait = 500,
): Promise<void> {
  if (await isThere(file)) return;
  try {
    await Deno.mkdir(file.path.slice(0, file.path.lastIndexOf("/")), { recursive: true });
    using part = await Deno.open(`${file.path}.incomplete`, { read: true, write: true, create: true });
    await part.lock(true);
    // Another process may have finished it in the meantime; what was opened then is its file or an empty one.
    if (await isThere(file)) return await Deno.remove(`${file.path}.incomplete`).catch(() => {});
    await fill(access, file, part, onProgress, wait);
    await part.syncData();
    await Deno.rename(`${file.path}.incomplete`, file.path);
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw new HubError(`Cannot write ${file.path} as the disk must take it: ${reasonOf(error)}`);
  }
}

async function isThere({ path, size }: Download): Promise<boolean> {
  const found = await sizeOf(path);
  return found !== null && (size === null || found === size);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === "ENOSPC" ? "it is full" : String(message ?? error).split("\n")[0]!;
}

async function fill(
  access: HubAccess,
  file: Download,
  part: Deno.FsFile,
  onProgress: (received: number) => void,
  wait: number,
): Promise<void> {
  const resumed = (await part.stat()).size > 0;
  let failures = 0;
  for (;;) {
    const before = (await part.stat()).size;
    try {
      await append(access, file, part, onProgress);
      break;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      // Progress, however little, is no failure.
      failures = (await part.stat()).size > before ? 1 : failures + 1;
      if (failures >= TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait * 2 ** (failures - 1)));
    }
  }
  const found = await hashOf(part, file.hash.length);
  if (found === file.hash) return;
  await part.truncate(0);
  // What was there before may have been another version; from the start it may be right.
  if (resumed) return await fill(access, file, part, onProgress, wait);
  throw new HubError(`Cannot download ${file.name} as it must have the hash ${file.hash}: it has ${found}`);
}

/** Appends what is missing. */
async function append(
  access: HubAccess,
  file: Download,
  part: Deno.FsFile,
  onProgress: (received: number) => void,
): Promise<void> {
  let received = (await part.stat()).size;
  if (received === file.size) return onProgress(received);
  if (file.size !== null && received > file.size) received = 0;
  const headers: Record<string, string> = received > 0 ? { range: `bytes=${received}-` } : {};
  const { response } = await ask(access, file.url, `download ${file.name}`, { headers });
  const range = response.headers.get("content-range");
  // Not every server resumes.
  if (received > 0 && !(response.status === 206 && range?.startsWith(`bytes ${received}-`))) received = 0;
  await part.truncate(received);
  await part.seek(received, Deno.SeekMode.Start);
  if (response.status === 416 || response.status === 206 && received === 0) {
    await response.body?.cancel();
    throw new NetworkError(
      `Cannot download ${file.name} as the server must go on where it stopped: it does not`,
    );
  }
  for await (const bytes of piecesOf(access, file, response)) {
    received += bytes.length;
    if (file.size !== null && received > file.size) {
      throw new HubError(`Cannot download ${file.name} as it must have ${file.size} bytes: more come`);
    }
    for (let at = 0; at < bytes.length;) at += await part.write(bytes.subarray(at));
    onProgress(received);
  }
  if (file.size !== null && received < file.size) {
    throw new NetworkError(
      `Cannot download ${file.name} as it must have ${file.size} bytes: the connection ended after ${received}`,
    );
  }
}

/** The body piece by piece; a connection that ends or falls silent is a NetworkError. */
async function* piecesOf(access: HubAccess, file: Download, response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const fail = (reason: string) => {
    return new NetworkError(`Cannot download ${file.name} as the connection must hold: ${reason}`);
  };
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        const late = () => reject(fail(`nothing came for ${access.timeout / 1000} s`));
        timer = setTimeout(late, access.timeout);
      });
      const { value } = await Promise.race([reader.read(), silence])
        .catch((error) => Promise.reject(error instanceof NetworkError ? error : fail(reasonOf(error))))
        .finally(() => clearTimeout(timer));
      if (value === undefined) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Hash of a file, of the kind that has so many hexadecimal digits. */
async function hashOf(file: Deno.FsFile, digits: number): Promise<string> {
  const { size } = await file.stat();
  const hash = createHash(digits === 64 ? "sha256" : "sha1");
  if (digits === 40) hash.update(`blob ${size}\0`);
  await file.seek(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(1 << 20);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}
