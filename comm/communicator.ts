/** How values of all processes become one. */
export type Reduction = "sum" | "max";

/** The processes of a job, which call the same operations in the same order. */
export interface Communicator {
  /** Index of this process, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** Name of the library. */
  readonly name: string;
  /**
   * Replaces values by their sum or maximum over all processes, element by element; all get the same bits.
   *
   * @throws {Error} If a process has failed; one line with rank and host.
   */
  allReduce(
    values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>,
    reduction: Reduction,
  ): Promise<void>;
  /** Replaces values by those of rank 0. */
  broadcast(values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>): Promise<void>;
  /** Waits until all processes are here. */
  barrier(): Promise<void>;
  /** Ends all processes at once, with an exit status. */
  abort(status: number): void;
  /** Leaves the job; all processes must do so. */
  close(): Promise<void>;
}

/** Whether item `i` of a list that the processes share is this process's: every `size`-th is, from `rank` on. */
export function isShareOf({ rank, size }: Pick<Communicator, "rank" | "size">, i: number): boolean {
  return i % size === rank;
}

/** Whether this process writes, logs and evaluates for all. */
export function isRoot(comm: Pick<Communicator, "rank"> | null): boolean {
  return comm === null || comm.rank === 0;
}
