// Downloads single files: resumes partial downloads and verifies hashes.
import { freeSpace } from "../../files/free_space.ts";
import { chunksOf, MIN_RATE } from "./body.ts";
import { HubError, sizeOf } from "./cache.ts";
import { type HubAccess, NetworkError, request } from "./request.ts";
import { withRetries } from "./retry.ts";

// Not a literal, as bundlers for browsers refuse modules of Node.
const CRYPTO: string = "node:crypto";

/** A file to download. */
export interface Download {
  /** URL. */
  readonly url: string;
  /** Name for error messages. */
  readonly name: string;
  /** Target path. */
  readonly path: string;
  /** SHA-256 of the content (64 hexadecimal digits), or SHA-1 as a git blob (40). */
  readonly hash: string;
  /** Size in bytes; null if the hub does not report it. */
  readonly size: number | null;
  /** Maximum size in bytes where the hub does not report it. */
  readonly limit: number;
  /** Called if another process downloads the file, which is waited for. */
  readonly onWait?: (() => void) | undefined;
}

/** Attempts without progress before a broken connection is an error. */
const MAX_ATTEMPTS = 5;

/**
 * Downloads a file to `path`. Until it is complete and verified, it is `path` with `.incomplete`, which a later call
 * resumes. If several processes download the same file, one does and the others wait.
 *
 * @param onProgress Called with the number of bytes so far.
 * @throws {HubError} If the hub, the network or the disk fails, or the content does not have the expected size and hash.
 */
export async function download(
  access: HubAccess,
  file: Download,
  onProgress: (received: number) => void,
): Promise<void> {
  if (await isComplete(file)) return;
  try {
    await Deno.mkdir(file.path.slice(0, file.path.lastIndexOf("/")), { recursive: true });
    using part = await Deno.open(`${file.path}.incomplete`, { read: true, write: true, create: true });
    // An error: the file system has no locks.
    if (!await part.tryLock(true).catch(() => true)) {
      file.onWait?.();
      await part.lock(true);
    }
    // Another process may have finished it in the meantime. Then `part` is the finished file, or a new empty one.
    if (await isComplete(file)) return await Deno.remove(`${file.path}.incomplete`).catch(() => {});
    await fill(access, file, part, onProgress);
    await part.syncData();
    await Deno.rename(`${file.path}.incomplete`, file.path);
  } catch (error) {
    if (error instanceof HubError) throw error;
    throw new HubError(`Cannot write ${file.path}: ${reasonOf(error)}`);
  }
}

async function isComplete({ path, size }: Download): Promise<boolean> {
  const actual = await sizeOf(path);
  return actual !== null && (size === null || actual === size);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return code === "ENOSPC" ? "the disk is full" : String(message ?? error).split("\n")[0]!;
}

/** Downloads what is missing and verifies the whole. */
async function fill(
  access: HubAccess,
  file: Download,
  part: Deno.FsFile,
  onProgress: (received: number) => void,
): Promise<void> {
  const resumed = await sizeOfPart(part);
  await checkDisk(file, resumed);
  let before = resumed;
  const hasAdvanced = async () => {
    const gained = -before + (before = await sizeOfPart(part));
    // Less is what a connection that is too slow may send.
    return gained > MIN_RATE * access.timeout / 1000;
  };
  try {
    const retries = { attempts: MAX_ATTEMPTS, hasAdvanced };
    await withRetries(() => append(access, file, part, onProgress), access.retryDelay, retries);
  } catch (error) {
    // Only a broken connection leaves bytes that are worth keeping.
    if (error instanceof HubError && !(error instanceof NetworkError)) await part.truncate(0);
    throw error;
  }
  const actual = await hashOf(part, file.hash.length);
  if (actual === file.hash) return;
  await part.truncate(0);
  // The partial file may have been of another version; download it from the start.
  if (resumed > 0) return await fill(access, file, part, onProgress);
  throw new HubError(`Cannot download ${file.name} as its hash must be ${file.hash}: it is ${actual}`);
}

async function sizeOfPart(part: Deno.FsFile): Promise<number> {
  return (await part.stat()).size;
}

/** @throws {HubError} If the missing bytes do not fit on the disk. */
async function checkDisk({ name, path, size }: Download, received: number): Promise<void> {
  if (size === null) return;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const free = await freeSpace(folder);
  if (free === null || size - received <= free) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new HubError(
    `Cannot download ${name} as it takes ${gigabytes(size - received)} of disk: ${folder} has ${
      gigabytes(free)
    } left`,
  );
}

/** Downloads the missing bytes and appends them. */
async function append(
  access: HubAccess,
  file: Download,
  part: Deno.FsFile,
  onProgress: (received: number) => void,
): Promise<void> {
  let received = await sizeOfPart(part);
  if (received === file.size) return onProgress(received);
  if (received > (file.size ?? file.limit)) received = 0;
  const headers: Record<string, string> = received > 0 ? { range: `bytes=${received}-` } : {};
  const { response } = await request(access, file.url, `download ${file.name}`, { headers });
  const range = response.headers.get("content-range");
  // Not every server supports ranges.
  if (received > 0 && !(response.status === 206 && range?.startsWith(`bytes ${received}-`))) received = 0;
  await part.truncate(received);
  await part.seek(received, Deno.SeekMode.Start);
  if (response.status === 416 || response.status === 206 && received === 0) {
    await response.body?.cancel();
    throw new NetworkError(
      `Cannot download ${file.name} from byte ${received}: the server refuses the range`,
    );
  }
  const options = {
    task: `download ${file.name}`,
    limit: (file.size ?? file.limit) - received,
    rule: file.size === null
      ? `a file of unstated size must have at most ${file.limit / 2 ** 20} MiB`
      : `its size must be ${file.size} bytes`,
  };
  for await (const bytes of chunksOf(access, response, options)) {
    received += bytes.length;
    for (let at = 0; at < bytes.length;) at += await part.write(bytes.subarray(at));
    onProgress(received);
  }
  if (file.size !== null && received < file.size) {
    throw new NetworkError(
      `Cannot download ${file.name} as its size must be ${file.size} bytes: the connection ended after ${received}`,
    );
  }
}

/** Hash of a file: SHA-256 for 64 digits, the SHA-1 of a git blob for 40. */
async function hashOf(file: Deno.FsFile, digits: number): Promise<string> {
  const { createHash } = await import(CRYPTO) as typeof import("node:crypto");
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
