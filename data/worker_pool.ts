// Work that would hold up the main thread, such as decoding and speech synthesis, in threads of its own.

/** What a worker answers to a job. */
type Answer<R> = { readonly result: R } | {
  readonly error: { readonly name: string; readonly message: string };
};

interface Task<J, R> {
  readonly job: J;
  readonly done: PromiseWithResolvers<R>;
}

/** Threads that take jobs from one queue. */
export class WorkerPool<J, R> {
  readonly #url: URL;
  readonly #size: number;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task<J, R>>();
  readonly #queue: Task<J, R>[] = [];
  #closed = false;

  /**
   * A pool; its threads start when there is work for them.
   *
   * @param url Module that calls {@linkcode serveJobs}.
   * @param size Threads at most.
   */
  constructor(url: URL, size: number) {
    this.#url = url;
    this.#size = size;
  }

  /**
   * Has a job done.
   *
   * @returns What the module makes of it.
   * @throws {Error} What the module throws, or if the pool is closed.
   */
  run(job: J): Promise<R> {
    if (this.#closed) return Promise.reject(closed());
    const task = { job, done: Promise.withResolvers<R>() };
    this.#queue.push(task);
    this.#next();
    return task.done.promise;
  }

  /** Ends the threads; jobs that are not done fail. */
  close(): void {
    this.#closed = true;
    for (const worker of [...this.#idle, ...this.#busy.keys()]) worker.terminate();
    for (const { done } of [...this.#busy.values(), ...this.#queue]) {
      // Whoever has stopped waiting must not see an unhandled rejection.
      done.promise.catch(() => {});
      done.reject(closed());
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
    worker.onmessage = ({ data }: MessageEvent<Answer<R>>) => {
      const done = take();
      this.#idle.push(worker);
      if ("error" in data) done?.reject(rebuild(data.error));
      else done?.resolve(data.result);
      this.#next();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      worker.terminate();
      take()?.reject(new Error(`Cannot go on as a thread has failed: ${event.message}`));
      this.#next();
    };
    return worker;
  }
}

function closed(): Error {
  return new Error("Cannot do the job as the threads must be running: they are closed");
}

/** An error as it was thrown in the thread, as far as classes are known. */
function rebuild({ name, message }: { name: string; message: string }): Error {
  const known = { RangeError, SyntaxError, TypeError, ...Deno.errors };
  const Kind = Object.hasOwn(known, name) ? known[name as keyof typeof known] : Error;
  return new Kind(message);
}

/**
 * Answers the jobs that a {@linkcode WorkerPool} sends, in a worker's module.
 *
 * @param work What to do with a job; its result says which buffers go over without a copy.
 */
export function serveJobs<J, R>(
  work: (job: J) => Promise<{ readonly result: R; readonly transfer?: ArrayBuffer[] }>,
): void {
  const scope = globalThis as unknown as {
    onmessage: ((event: MessageEvent<J>) => void) | null;
    postMessage(message: Answer<R>, transfer: ArrayBuffer[]): void;
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
