/**
 * The job of several processes that mpirun or srun started, which train together.
 *
 * @module
 */
import { type Communicator, isRoot } from "../comm/communicator.ts";
import { launchOf } from "../comm/launch.ts";
import { joinMpi } from "../comm/mpi.ts";
import { type Input, INPUTS } from "../train/fingerprints.ts";
import { printError } from "./print.ts";
import { log, setQuiet } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** Milliseconds that other ranks wait for rank 0 to print an error, which most often is the same on all. */
const ERROR_DELAY = 1500;

/** Milliseconds in which the launcher reads what was printed: when a job is aborted, MPICH's loses what it has not read. */
const READ_DELAY = 300;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let joined: Communicator | null = null;

/**
 * Works in the job that this process is part of. Ranks other than 0 print nothing from here on. After an error the processes are ended by
 * {@linkcode abortJob}: they may wait for each other.
 *
 * @param work what to do, given the processes of the job; null where this one is on its own
 * @returns its result
 * @throws {UserError} MPI cannot be started; one line
 */
export async function inJob<T>(work: (comm: Communicator | null) => Promise<T>): Promise<T> {
  const launch = launchOf((name) => Deno.env.get(name));
  if (!launch) return await work(null);
  if (launch.rank > 0) setQuiet(true);
  try {
    joined = joinMpi(launch, Deno.env.get("ESPALIER_MPI"));
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("Cannot start MPI"))) throw error;
    const where = launch.rank > 0 ? `rank ${launch.rank} on ${Deno.hostname()}: ` : "";
    throw new UserError(where + error.message, { cause: error });
  }
  log(`${joined.size} processes, by ${joined.name}`);
  const result = await work(joined);
  await joined.close();
  joined = null;
  return result;
}

/** Ends all processes after an error of this one, which was printed or is about to be by rank 0. */
export async function abortJob(print: () => void, status: number): Promise<void> {
  if (!joined) return print();
  const { rank, size } = joined;
  if (rank > 0) await pause(ERROR_DELAY);
  print();
  printError(`rank ${rank} of ${size} on ${Deno.hostname()} ended the job`);
  await pause(READ_DELAY);
  joined.abort(status);
}

/**
 * The number of micro-batches of a step: as many as processes unless it is given.
 *
 * @param comm the processes
 * @param given `--grad-accum-steps`
 * @throws {UserError} it is not a multiple of the number of processes
 */
export function microBatches(comm: Communicator | null, given: number | undefined): number | undefined {
  if (!comm) return given;
  const count = given ?? comm.size;
  if (count % comm.size === 0) return count;
  throw new UserError(
    `Cannot train as --grad-accum-steps must be a multiple of the ${comm.size} processes: it is ${count}`,
  );
}

const isInput = (name: string): name is Input => name in INPUTS;

/** Checks that all processes have the same model, data, version and options. @throws {UserError} One has not; it is named. */
export async function requireSameInputs(
  comm: Communicator | null,
  inputs: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (!comm) return;
  for (const [name, value] of Object.entries(inputs)) {
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(JSON.stringify(value) ?? ""),
    );
    const hashes = new Float64Array(comm.size);
    hashes[comm.rank] = new Uint32Array(digest)[0]!;
    await comm.allReduce(hashes, "sum");
    const other = hashes.findIndex((one) => one !== hashes[0]);
    if (other > 0) {
      const what = isInput(name) ? INPUTS[name].replace(/^the /, "") : name;
      throw new UserError(
        `Cannot train as all ranks must have the same ${what}: rank ${other} has another than rank 0`,
      );
    }
  }
}

/** Checks that every process has utterances. @throws {UserError} There are fewer than processes. */
export function requireUtterances(comm: Communicator | null, count: number): void {
  if (!comm || count >= comm.size) return;
  throw new UserError(
    `Cannot train as each of the ${comm.size} processes must have an utterance: there are ${count}`,
  );
}

/** Runs something on rank 0 alone; the others wait for it. Null on them. */
export async function onRoot<T>(comm: Communicator | null, work: () => Promise<T>): Promise<T | null> {
  const result = isRoot(comm) ? await work() : null;
  await comm?.barrier();
  return result;
}
