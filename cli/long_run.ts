/**
 * Output folder, progress and interruption of commands that run for long.
 *
 * @module
 */
import { programName } from "./program_name.ts";
import { shellWord } from "./shell_word.ts";
import { DeviceError } from "../tensor/device_errors.ts";
import { Progress } from "../train/progress.ts";
import { claimRunFolder, type EarlyFiles, isFreeForRun } from "../train/run_folder.ts";
import { unlessClosed } from "./print.ts";
import { isQuiet, log } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/**
 * Takes the folder of a run: no other process writes to it until the result is disposed.
 *
 * @param command name of the command
 * @param out the folder; it is made unless it exists
 * @throws {UserError} it is not a folder
 * @throws {Error} another process has it; one line
 */
export async function claimOutput(command: string, out: string): Promise<Disposable> {
  const isFolder = await Deno.stat(out).then(({ isDirectory }) => isDirectory, (error) => {
    return error instanceof Deno.errors.NotFound;
  });
  if (!isFolder) throw new UserError(`Cannot ${command} as the output must be a folder: ${out} is not`);
  return await claimRunFolder(out);
}

/**
 * Makes sure that a new run overwrites nothing.
 *
 * @param out its folder, which was claimed
 * @param early what a run leaves that is killed early; that is removed
 * @throws {UserError} the folder is not empty
 */
export async function refuseOutput(out: string, early: EarlyFiles): Promise<void> {
  if (await isFreeForRun(out, early)) return;
  throw new UserError(
    `Output folder is not empty: ${out} (use another --out, or --resume to continue a run)`,
  );
}

/** Progress on standard error: one line that is updated on a terminal, else a line from time to time. */
export function progressOf(steps: number): Progress {
  const terminal = Deno.stderr.isTerminal();
  const encoder = new TextEncoder();
  return new Progress({
    steps,
    terminal,
    write: (text) => {
      if (!terminal) return log(text.replace(/\n$/, ""));
      if (!isQuiet()) unlessClosed(() => Deno.stderr.writeSync(encoder.encode(text)));
    },
    ...terminal && { columns: Deno.consoleSize().columns },
  });
}

/** Prints how an interrupted run is resumed. */
export function printInterrupted(command: string, out: string): void {
  log(`Interrupted. Resume with: ${resumeCommand(command, out)}`);
}

function resumeCommand(command: string, out: string): string {
  return `${programName()} ${command} --resume --out ${shellWord(out)}`;
}

/** Signals that end a run with its state saved, and their exit statuses: 128 and the signal's number. */
const STATUSES: Readonly<Partial<Record<Deno.Signal, number>>> = Deno.build.os === "windows"
  ? { SIGINT: 130 }
  : { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** A run that can be resumed. */
export interface Resumable {
  /** Name of its command. */
  readonly command: string;
  /** Its folder. */
  readonly out: string;
}

/** Result of {@linkcode interruptible}. */
export interface Ended<T> {
  readonly result: T;
  /** Exit status of the first signal: 130, 143 or 129; 0 where there was none. */
  readonly status: number;
}

/**
 * Does long work. A signal (Ctrl+C, a scheduler's SIGTERM, the SIGHUP of a closing terminal) ends it after the current
 * step; a second one ends it at once.
 *
 * @param run what the work is, for messages
 * @param work what to do, given the signal
 * @throws {UserError} the device failed; one line that states how to resume
 */
export async function interruptible<T>(
  { command, out }: Resumable,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Ended<T>> {
  const stop = new AbortController();
  let status = 0;
  using _signals = onSignal((number) => {
    status = number;
    const newLine = Deno.stderr.isTerminal() ? "\n" : ""; // after the ^C of the terminal
    log(`${newLine}Stopping after this step; press Ctrl+C again to stop at once.`);
    stop.abort();
  });
  try {
    const result = await work(stop.signal);
    return { result, status };
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw new UserError(`${error.message}; resume with: ${resumeCommand(command, out)}`, { cause: error });
  }
}

/** Calls back on the first signal, with its exit status; the next one ends the process. */
function onSignal(callback: (status: number) => void): Disposable {
  const listeners = Object.entries(STATUSES).map(([name, status]) => {
    const listener = () => {
      removeAll();
      callback(status);
    };
    return { signal: name as Deno.Signal, listener };
  });
  const removeAll = () => {
    for (const { signal, listener } of listeners.splice(0)) Deno.removeSignalListener(signal, listener);
  };
  for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  return { [Symbol.dispose]: removeAll };
}

/** A signal ended work that is not resumed from a saved state. */
export class Interrupted extends Error {
  override name = "Interrupted";
  /** Exit status. */
  readonly status: number;

  constructor(status: number) {
    super("Interrupted");
    this.status = status;
  }
}

/**
 * Does work that cleans up after itself where a signal ends it.
 *
 * @param work what to do, given the signal; what it throws after that is ignored
 * @throws {Interrupted} the signal came
 */
export async function cleaningUp<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let status = 0;
  using _signals = onSignal((number) => {
    status = number;
    stop.abort();
  });
  try {
    const result = await work(stop.signal);
    if (status === 0) return result;
  } catch (error) {
    if (status === 0) throw error;
  }
  throw new Interrupted(status);
}
