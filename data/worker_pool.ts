// Runs work in worker threads that would block the main thread, such as decoding and speech synthesis.

/** Reply of a worker to a job. */
type Reply<R> = { readonly result: R } | {
  readonly error: { readonly name: string; readonly message: string };
};

interface Task<J, R> {
  readonly job: J;
  readonly done: PromiseWithResolvers<R>;
}

/** Worker threads that take jobs from one queue. */
export class WorkerPool<J, R> {
  readonly #url: URL;
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task<J, R>>();
  readonly #queue: Task<J, R>[] = [];
  #closed = false;

  /**
   * Creates a pool; its threads start when there are jobs.
   *
   * @param url Module that calls {@linkcode serveJobs}.
   * @param size Maximum number of threads.
   */
  constructor(url: URL, size: number) {
    this.#url = url;
    this.#size = size;
  }

  /**
   * Runs a job.
   *
   * @returns Its result.
   * @throws {Error} The error of the job, or if the pool is closed.
   */
  run(job: J): Promise<R> {
    if (this.#closed) return Promise.reject(closedError());
    const task = { job, done: Promise.withResolvers<R>() };
    this.#queue.push(task);
    this.#next();
    return task.done.promise;
  }

  /** Terminates the threads; unfinished jobs fail. */
  close(): void {
    this.#closed = true;
    for (const worker of [...this.#idle, ...this.#busy.keys()]) worker.terminate();
    for (const { done } of [...this.#busy.values(), ...this.#queue]) {
      // A caller that no longer waits must not cause an unhandled rejection.
      done.promise.catch(() => {});
      done.reject(closedError());
    }
    this.#idle.length = this.#queue.length = 0;
    this.#busy.clear();
  }

  #next(): void {
    if (this.#queue.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#busy.size < this.#size ? this.#start() : undefined);
    if (worker === undefined) return;
    const task = this.#queue.shift()!;
    this.#busy.set(worker, task);
    worker.postMessage(task.job);
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { type: "module" });
    const take = () => {
      const task = this.#busy.get(worker);
      this.#busy.delete(worker);
      return task?.done;
    };
    worker.onmessage = ({ data }: MessageEvent<Reply<R>>) => {
      const done = take();
      this.#idle.push(worker);
      if ("error" in data) done?.reject(rebuild(data.error));
      else done?.resolve(data.result);
      this.#next();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      take()?.reject(new Error(`A worker thread failed: ${event.message}`));
      this.#next();
    };
    return worker;
  }
}

function closedError(): Error {
  return new Error("The job was not run: the thread pool is closed");
}

/** Rebuilds an error that was thrown in a worker, with its class if that is a known one. */
function rebuild({ name, message }: { name: string; message: string }): Error {
  const known = { RangeError, SyntaxError, TypeError, ...Deno.errors };
  const Kind = Object.hasOwn(known, name) ? known[name as keyof typeof known] : Error;
  return new Kind(message);
}

/**
 * Serves the jobs of a {@linkcode WorkerPool}; to be called by a worker's module.
 *
 * @param work Runs a job; returns its result and the buffers to transfer without a copy.
 */
export function serveJobs<J, R>(
  work: (job: J) => Promise<{ readonly result: R; readonly transfer?: ArrayBuffer[] }>,
): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent<J>) => void) | null;
    postMessage(message: Reply<R>, transfer: ArrayBuffer[]): void;
  };
  scope.onmessage = async ({ data }) => {
    try {
      const { result, transfer = [] } = await work(data);
      scope.postMessage({ result }, transfer);
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      scope.postMessage({ error: { name, message } }, []);
    }
  };
}
