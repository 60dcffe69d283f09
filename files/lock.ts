/**
 * Locks by which one process at a time writes to a folder or file.
 *
 * A lock is a file that its holder keeps locked (`flock`), so that it is free once the process has ended, however that
 * was, and its number may be used again. In the file stands who holds it. Its time is renewed every few seconds: where the
 * holder runs on another machine, or the file system has no `flock`, a lock without such a sign is taken over.
 *
 * @module
 */
import { fileError } from "./atomic_file.ts";
import { printableName } from "./printable.ts";

/** Options of {@linkcode acquireLock}. */
export interface LockOptions {
  /** Folder or file that the lock is for; error messages name it. */
  readonly target: string;
  /** Called once if another process holds the lock, which is then waited for; without it that is an error. */
  readonly onWait?: ((holder: string) => void) | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a sign of the holder after which the lock is taken over; default 30,000. */
  readonly silence?: number;
  /** Whether to use the locks of the file system; default true, where it has them. */
  readonly native?: boolean;
}

/** Who holds a lock, as its file states. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Time at which it was acquired, ISO 8601. */
  readonly since: string;
  /** Differs between all locks. */
  readonly id: string;
}

/** Another process holds a lock. */
export class LockedError extends Error {
  override name = "LockedError";
}

/** Milliseconds between attempts while a lock is waited for. */
const POLL = 200;

/** A lock that this process holds. Disposing it releases it; so does the end of the process. */
export class FileLock implements Disposable {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #id: string;
  readonly #beat: ReturnType<typeof setInterval>;
  #released = false;

  /** Used by {@linkcode acquireLock}. */
  constructor(path: string, file: Deno.FsFile, { id, every }: { id: string; every: number }) {
    this.#path = path;
    this.#file = file;
    this.#id = id;
    this.#beat = setInterval(() => {
      const now = new Date();
      file.utime(now, now).catch(() => {}); // the next one may succeed
    }, every);
    Deno.unrefTimer(Number(this.#beat));
  }

  /** Releases the lock and removes its file. */
  [Symbol.dispose](): void {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#beat);
    try {
      // Removed before it is free: then nobody can have locked it meanwhile.
      if (holderIn(Deno.readTextFileSync(this.#path))?.id === this.#id) Deno.removeSync(this.#path);
    } catch {
      // It was removed already, or its file system is gone.
    }
    this.#file.close();
  }
}

/**
 * Acquires a lock.
 *
 * @param path Path of the lock's file; its folder is made. The file is removed when the lock is released.
 * @param options What the lock is for, and whether to wait for it.
 * @throws {LockedError} If another process holds it; one line.
 * @throws {Error} If the file cannot be written; one line.
 *
 * @example
 * ```ts ignore
 * using _lock = await acquireLock("out/espalier.lock", { target: "out" });
 * ```
 */
export async function acquireLock(path: string, options: LockOptions): Promise<FileLock> {
  const slash = path.lastIndexOf("/");
  await Deno.mkdir(slash < 0 ? "." : path.slice(0, slash), { recursive: true }).catch((error) => {
    throw fileError("make", options.target, error);
  });
  let waits = false;
  while (true) {
    const lock = await tryLock(path, options).catch((error) => {
      throw fileError("write", path, error);
    });
    if (lock instanceof FileLock) return lock;
    if (lock === null) continue;
    if (!options.onWait) {
      const target = printableName(options.target);
      throw new LockedError(`Cannot write to ${target} as one process at a time may: it is used by ${lock}`);
    }
    options.signal?.throwIfAborted();
    if (!waits) options.onWait(lock);
    waits = true;
    await delay(POLL);
  }
}

/** Acquires a lock, or returns who holds it; null if its file was removed meanwhile. */
async function tryLock(
  path: string,
  { silence = 30_000, native = true }: LockOptions,
): Promise<FileLock | string | null> {
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    // An error: the file system has no locks.
    const locked = native ? await file.tryLock(true).catch(() => null) : null;
    if (locked === false) return closed(file, await namedHolder(path));
    const before = await readHolder(path);
    if (before && !(await isAbandoned(path, before, { locked: locked !== null, silence }))) {
      return closed(file, nameOf(before));
    }
    const holder: Holder = {
      pid: Deno.pid,
      host: hostName(),
      since: new Date().toISOString(),
      id: crypto.randomUUID(),
    };
    await file.truncate(0);
    await file.seek(0, Deno.SeekMode.Start);
    await file.write(new TextEncoder().encode(`${JSON.stringify(holder)}\n`));
    await file.sync();
    // Without locks of the file system, the last of several processes that got here has it.
    if (locked === null) await delay(Math.min(500, silence));
    // Its holder may have removed the file after it was opened here, and somebody else may have made another.
    const after = await readHolder(path);
    if (after?.id === holder.id) return new FileLock(path, file, { id: holder.id, every: silence / 3 });
    return closed(file, after && nameOf(after));
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Who holds a locked file, which may have locked it this moment; null if it has removed the file meanwhile. */
async function namedHolder(path: string): Promise<string | null> {
  for (let i = 0; i < 30; i++) {
    const holder = await readHolder(path);
    if (holder) return nameOf(holder);
    if (!await Deno.stat(path).then(() => true, () => false)) return null;
    await delay(100);
  }
  return "another process";
}

function closed<T>(file: Deno.FsFile, value: T): T {
  file.close();
  return value;
}

/** Whether the holder of a lock has ended, where its file is not locked by it. */
async function isAbandoned(
  path: string,
  { host }: Holder,
  { locked, silence }: { locked: boolean; silence: number },
): Promise<boolean> {
  if (locked && host === hostName()) return true;
  const first = await signAt(path);
  if (Date.now() - first > 20 * silence) return true; // more than clocks differ by
  for (let waited = 0; waited < silence; waited += POLL) {
    await delay(POLL);
    if (await signAt(path) !== first) return false;
  }
  return true;
}

/** Time of the last sign of a lock's holder, in milliseconds. */
async function signAt(path: string): Promise<number> {
  return await Deno.stat(path).then(({ mtime }) => mtime?.getTime() ?? 0, () => 0);
}

async function readHolder(path: string): Promise<Holder | null> {
  return holderIn(await Deno.readTextFile(path).catch(() => ""));
}

function holderIn(text: string): Holder | null {
  try {
    const { pid, host, since, id } = JSON.parse(text);
    return { pid: Number(pid), host: String(host), since: String(since), id: String(id) };
  } catch { // empty, half-written or of something else
    return null;
  }
}

function nameOf({ pid, host, since }: Holder): string {
  const where = host === hostName() ? "" : ` on ${printableName(host)}`;
  return `process ${pid}${where}, since ${printableName(since.slice(0, 19).replace("T", " "))} UTC`;
}

/** Name of this machine; empty where the process may not know it. */
function hostName(): string {
  try {
    return Deno.hostname();
  } catch {
    return "";
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
