// How the processes of a job were started: mpirun, mpiexec and srun state rank and size in the environment.

/** Families of MPI libraries that differ in their binary interface. */
export type MpiFamily = "Open MPI" | "MPICH" | "MPI-5 ABI";

/** A job of several processes. */
export interface Launch {
  /** Index of this process, from 0. */
  readonly rank: number;
  /** Number of processes, 2 or more. */
  readonly size: number;
  /** Family whose launcher started it, which the library should be of; null where srun started it. */
  readonly family: MpiFamily | null;
}

/** Names of rank and size by launcher. The batch script of Slurm itself has no step, and is one process. */
const LAUNCHERS = [
  { rank: "OMPI_COMM_WORLD_RANK", size: "OMPI_COMM_WORLD_SIZE", family: "Open MPI" },
  { rank: "PMI_RANK", size: "PMI_SIZE", family: "MPICH" },
  { rank: "SLURM_PROCID", size: "SLURM_STEP_NUM_TASKS", family: null },
] as const;

/**
 * The job that a process is part of.
 *
 * @param env Reads a variable of the environment.
 * @returns Null for a process on its own, started without a launcher or as the only one.
 */
export function launchOf(env: (name: string) => string | undefined): Launch | null {
  for (const launcher of LAUNCHERS) {
    const [rank, size] = [Number(env(launcher.rank) ?? NaN), Number(env(launcher.size) ?? NaN)];
    if (Number.isSafeInteger(rank) && Number.isSafeInteger(size) && size > 1) {
      return { rank, size, family: launcher.family };
    }
  }
  return null;
}
