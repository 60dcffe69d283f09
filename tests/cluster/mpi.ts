// Runs the program in jobs of several processes, with the MPI libraries of this machine.

const root = new URL("../../", import.meta.url).pathname;

/** An MPI library with its launcher. */
export interface Mpi {
  readonly name: string;
  /** Program and words before the number of processes. */
  readonly launcher: readonly string[];
}

const KNOWN: readonly Mpi[] = [
  { name: "Open MPI", launcher: ["mpirun.openmpi", "--oversubscribe"] },
  { name: "MPICH", launcher: ["mpirun.mpich"] },
];

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch { // not on this machine
    return false;
  }
}

/** The libraries of this machine, which are installed on Debian where that needs no password. */
export async function findMpi(): Promise<Mpi[]> {
  const found = async () => {
    const there = await Promise.all(KNOWN.map(({ launcher: [program] }) => succeeds(program!, "--version")));
    return KNOWN.filter((_, i) => there[i]);
  };
  if ((await found()).length === KNOWN.length || Deno.uid() !== 0) return await found();
  console.log("Installing Open MPI and MPICH");
  await succeeds("apt-get", "update", "-q");
  await succeeds("apt-get", "install", "-qy", "--no-install-recommends", "openmpi-bin", "mpich");
  return await found();
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

/** Starts a program with its output caught. */
export function start(program: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const begin = performance.now();
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: root,
    env: { ...ENV, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
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
  return start(`${root}espalier`, words).ended;
}

/** Starts `./espalier` in a job of so many processes. */
export function job(
  { launcher: [program, ...before] }: Mpi,
  processes: number,
  words: readonly string[],
  env = {},
): Running {
  return start(program!, [...before, "-n", String(processes), `${root}espalier`, ...words], env);
}

/** Lines of an error of the program, without those of launcher, log and notes. */
export function errorLines({ err }: Ended): string[] {
  return err.split("\n").filter((line) => /^Cannot |^rank \d+ of /.test(line));
}
