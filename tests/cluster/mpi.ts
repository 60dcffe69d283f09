// Runs the program in jobs of several processes, with the MPI libraries of this machine.
import { findEnvironment, installDebian, succeeds } from "../install.ts";

/** The checkout, with a slash at its end. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** An MPI library with its launcher. */
export interface Mpi {
  readonly name: string;
  /** Program and words before the number of processes. */
  readonly launcher: readonly string[];
  /** Variables for the processes. */
  readonly env?: Readonly<Record<string, string>>;
}

const DEBIAN: readonly Mpi[] = [
  { name: "Open MPI", launcher: ["mpirun.openmpi", "--oversubscribe"] },
  { name: "MPICH", launcher: ["mpirun.mpich"] },
];

/** A version of MPICH that has the interface of MPI 5; Debian 12's has not. */
const MPICH_5 = "5.0.2";

/** Finds the libraries of this machine, and installs those that are missing where that needs no password. */
export async function findMpi(): Promise<Mpi[]> {
  const found = async () => {
    const there = await Promise.all(DEBIAN.map(({ launcher }) => succeeds(launcher[0]!, "--version")));
    return DEBIAN.filter((_, i) => there[i]);
  };
  if ((await found()).length < DEBIAN.length) await installDebian("openmpi-bin", "mpich");
  return [...await found(), ...await findMpi5()];
}

/** MPICH by the interface of MPI 5, from PyPI; none where it cannot be installed. */
async function findMpi5(): Promise<Mpi[]> {
  try {
    const folder = await findEnvironment({
      name: `cluster/mpich-${MPICH_5}`,
      packages: [`mpich==${MPICH_5}`],
      check: "import importlib.metadata; importlib.metadata.version('mpich')",
      base: { packages: ["python3-venv"], modules: "venv, ensurepip" },
    });
    const launcher = [`${folder}/bin/mpiexec`];
    return [{ name: "MPI-5 ABI", launcher, env: { ESPALIER_MPI: `${folder}/lib/libmpi_abi.so.1` } }];
  } catch (error) {
    console.log(`not run: the MPI-5 ABI, as ${(error as Error).message}`);
    return [];
  }
}

/** A job that has ended. */
export interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
  readonly seconds: number;
}

/** A job that runs. */
export interface Running {
  readonly ended: Promise<Ended>;
}

const ENV = {
  NO_COLOR: "1",
  // One thread of the software adapter a process, and root may start jobs.
  LP_NUM_THREADS: "1",
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
};

/** Milliseconds after which a program is terminated: a job must not hang. */
const LIMIT = 240_000;

/** Starts a program with its output caught. */
export function start(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: ROOT,
    env: { ...ENV, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(LIMIT),
  }).spawn();
  const ended = child.output().then(({ code, stdout, stderr }) => ({
    status: code,
    out: new TextDecoder().decode(stdout),
    err: new TextDecoder().decode(stderr),
    seconds: (performance.now() - begin) / 1000,
  }));
  return { ended };
}

/** Runs `./espalier` on its own. */
export function alone(...words: string[]): Promise<Ended> {
  return start(`${ROOT}espalier`, words).ended;
}

/** Starts `./espalier` in a job of so many processes. */
export function job(
  { launcher: [program, ...before], env: own }: Mpi,
  processes: number,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  return start(program!, [...before, "-n", String(processes), `${ROOT}espalier`, ...words], {
    ...own,
    ...env,
  });
}

/** Lines of an error of the program, without those of launcher, log and notes. */
export function errorLines({ err }: Ended): string[] {
  return err.split("\n").filter((line) => /^Cannot |^rank \d+ of /.test(line));
}
