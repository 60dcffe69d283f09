// The part of `Deno` that the library uses, on Node's modules: files, the environment and errors by class. esbuild puts
// it where the library names `Deno`, in the module for Node alone; no global is set.
import { Buffer } from "node:buffer";
import * as sync from "node:fs";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as process from "node:process";
import { Readable } from "node:stream";
import { promisify } from "node:util";

class AlreadyExists extends Error {}
class NotADirectory extends Error {}
class NotCapable extends Error {}
class NotFound extends Error {}
class PermissionDenied extends Error {}

const errors = { AlreadyExists, NotADirectory, NotCapable, NotFound, PermissionDenied };

const KINDS: Readonly<Record<string, new (text: string, options: ErrorOptions) => Error>> = {
  ENOENT: NotFound,
  EEXIST: AlreadyExists,
  ENOTDIR: NotADirectory,
  EACCES: PermissionDenied,
  EPERM: PermissionDenied,
};

/** An error of Node as one of Deno: `No such file or directory (os error 2): open '/x'`. */
function ofDeno(error: unknown): unknown {
  const { code = "", errno = 0, syscall, message } = error as NodeJS.ErrnoException;
  const why = /^E\w+: ([^,]+)/.exec(message)?.[1];
  if (why === undefined) return error;
  const text = `${why.charAt(0).toUpperCase()}${why.slice(1)} (os error ${-errno}): ${syscall} ''`;
  const Kind = Object.hasOwn(KINDS, code) ? KINDS[code]! : Error;
  return Object.assign(new Kind(text, { cause: error }), { code });
}

/** Calls a function, with its errors as those of Deno. */
function called<R>(work: () => R): R {
  try {
    return work();
  } catch (error) {
    throw ofDeno(error);
  }
}

/** A function whose errors are those of Deno. */
function wrapped<A extends unknown[], R>(work: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await work(...args);
    } catch (error) {
      throw ofDeno(error);
    }
  };
}

const infoOf = (info: sync.Stats) => ({
  isFile: info.isFile(),
  isDirectory: info.isDirectory(),
  isSymlink: info.isSymbolicLink(),
  size: info.size,
  mtime: info.mtime,
});

const read = promisify(sync.read);
const write = promisify(sync.write);
const fstat = promisify(sync.fstat);
const ftruncate = promisify(sync.ftruncate);
const fsync = promisify(sync.fsync);
const fdatasync = promisify(sync.fdatasync);

/** An open file. It has a position of its own, as Node cannot move that of a file. */
class FsFile {
  readonly #fd: number;
  #at = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const { bytesRead } = await read(this.#fd, buffer, 0, buffer.length, this.#at);
    return this.#advance(bytesRead);
  }

  readSync(buffer: Uint8Array): number | null {
    return this.#advance(sync.readSync(this.#fd, buffer, 0, buffer.length, this.#at));
  }

  writeSync(bytes: Uint8Array): number {
    const written = sync.writeSync(this.#fd, bytes, 0, bytes.length, this.#at);
    this.#at += written;
    return written;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const { bytesWritten } = await write(this.#fd, bytes, 0, bytes.length, this.#at);
    this.#at += bytesWritten;
    return bytesWritten;
  }

  seekSync(offset: number): number {
    return this.#at = offset;
  }

  seek(offset: number): Promise<number> {
    return Promise.resolve(this.seekSync(offset));
  }

  async stat() {
    return infoOf(await fstat(this.#fd));
  }

  statSync() {
    return infoOf(sync.fstatSync(this.#fd));
  }

  utime(atime: Date, mtime: Date): Promise<void> {
    return promisify(sync.futimes)(this.#fd, atime, mtime);
  }

  /** Node has no locks of files: two processes that download one model at once do so twice. */
  lock(): Promise<void> {
    return Promise.resolve();
  }

  tryLock(): Promise<boolean> {
    return Promise.resolve(true);
  }

  truncate(length = 0): Promise<void> {
    return ftruncate(this.#fd, length);
  }

  sync(): Promise<void> {
    return fsync(this.#fd);
  }

  syncData(): Promise<void> {
    return fdatasync(this.#fd);
  }

  /** What follows the position; the file is closed at the end. */
  get readable(): ReadableStream<Uint8Array> {
    const stream = sync.createReadStream("", { fd: this.#fd, start: this.#at });
    return Readable.toWeb(stream) as unknown as ReadableStream<Uint8Array>;
  }

  close(): void {
    sync.closeSync(this.#fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #advance(count: number): number | null {
    this.#at += count;
    return count === 0 ? null : count;
  }
}

interface OpenOptions {
  readonly write?: boolean;
  readonly append?: boolean;
  readonly create?: boolean;
  readonly truncate?: boolean;
}

/** Flags of `open`. */
function flagsOf({ write, append, create, truncate }: OpenOptions): number {
  const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_TRUNC } = sync.constants;
  return (write || append ? O_RDWR : O_RDONLY) | (append ? O_APPEND : 0) | (create ? O_CREAT : 0) |
    (truncate ? O_TRUNC : 0);
}

async function* readDir(path: string | URL) {
  for (const entry of await wrapped(() => fs.readdir(path, { withFileTypes: true }))()) {
    yield {
      name: entry.name,
      isFile: entry.isFile(),
      isDirectory: entry.isDirectory(),
      isSymlink: entry.isSymbolicLink(),
    };
  }
}

type Path = string | URL;

/** What stands for `Deno`. */
export const Deno = {
  errors,
  pid: process.pid,
  SeekMode: { Start: 0 },
  build: { os: process.platform === "win32" ? "windows" : process.platform },
  env: { get: (name: string) => process.env[name], has: (name: string) => name in process.env },
  hostname: () => os.hostname(),
  memoryUsage: () => process.memoryUsage(),
  /** Node's timers have no number to find them by, so this one keeps the process alive until it is cleared. */
  unrefTimer: () => {},
  version: { deno: `none, Node ${process.versions.node}`, v8: process.versions.v8 },
  open: wrapped(async (path: Path, options: OpenOptions = {}) =>
    new FsFile(await promisify(sync.open)(path, flagsOf(options)))
  ),
  readFile: wrapped(async (path: Path) => {
    const { buffer, byteOffset, length } = await fs.readFile(path);
    return new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
  }),
  readTextFile: wrapped((path: Path) => fs.readFile(path, "utf8")),
  writeFile: wrapped((path: Path, bytes: Uint8Array) => fs.writeFile(path, Buffer.from(bytes))),
  writeTextFile: wrapped((path: Path, text: string) => fs.writeFile(path, text)),
  stat: wrapped(async (path: Path) => infoOf(await fs.stat(path))),
  lstat: wrapped(async (path: Path) => infoOf(await fs.lstat(path))),
  mkdir: wrapped(async (path: Path, options: { recursive?: boolean } = {}) => {
    await fs.mkdir(path, options);
  }),
  remove: wrapped(async (path: Path, { recursive = false } = {}) => {
    if ((await fs.lstat(path)).isDirectory() && !recursive) await fs.rmdir(path);
    else await fs.rm(path, { recursive });
  }),
  rename: wrapped((from: Path, to: Path) => fs.rename(from, to)),
  copyFile: wrapped((from: Path, to: Path) => fs.copyFile(from, to)),
  link: wrapped((from: string, to: string) => fs.link(from, to)),
  symlink: wrapped((from: Path, to: Path) => fs.symlink(from, to)),
  openSync: (path: Path, options: OpenOptions = {}) =>
    called(() => new FsFile(sync.openSync(path, flagsOf(options)))),
  readTextFileSync: (path: Path) => called(() => sync.readFileSync(path, "utf8")),
  removeSync: (path: Path, { recursive = false } = {}) => called(() => sync.rmSync(path, { recursive })),
  statSync: (path: Path) => called(() => infoOf(sync.statSync(path))),
  readDir,
};

/** What Node 20 lacks of `navigator`. */
export const navigator = globalThis.navigator ?? { hardwareConcurrency: os.availableParallelism() };
