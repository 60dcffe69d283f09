/**
 * What the process of a command is permitted. Deno enforces it: a defect of the program or of a package that it uses can do
 * no more. The tasks of deno.json, which `./espalier` reads too, are made from this.
 *
 * @module
 */
/**
 * What a command needs:
 *
 * - `files`: reads and writes files: models, corpora, results, caches. Their paths are the user's.
 * - `device`: computes. WebGPU itself needs no permission.
 * - `hub`: downloads models.
 * - `loopback`: serves pages on this machine.
 * - `job`: is part of a job that mpirun or srun starts; `./espalier` then permits the library of MPI.
 * - `deno`: starts Deno for a package of native code, which then runs in a process of its own.
 */
export type Access = "files" | "device" | "hub" | "loopback" | "job" | "deno";

/** Needs of a command that declares none. */
export const USUAL: readonly Access[] = ["files", "device", "hub"];

/** Hosts of the hub and of its storage. */
export const HUB_HOSTS: readonly string[] = ["huggingface.co", "*.huggingface.co", "*.hf.co"];

/** Environment variables by what they are for; INIT_CWD is the user's folder, ESPALIER_PROGRAM how the set-up script was called. */
const VARIABLES: Readonly<Record<Access, readonly string[]>> = {
  files: [
    ...["HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"],
    ...["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"],
    ...["FLAC_SCRIPT_LOCATION", "fetch", "NODE_ENV"], // read by libflacjs and echarts
  ],
  device: ["DENO_WEBGPU_BACKEND", "XDG_RUNTIME_DIR", "ESPALIER_GEMM", "ESPALIER_SUBGROUPS"],
  hub: ["HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"],
  loopback: [],
  job: [
    "ESPALIER_MPI",
    ...["OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE"],
    ...["SLURM_PROCID", "SLURM_STEP_NUM_TASKS"],
  ],
  deno: [],
};

/** What is asked of the system: free disk and memory, and for locks the name of the machine. */
const SYSTEM = ["hostname", "statfs", "systemMemoryInfo"];

/**
 * Flags of `deno run` for a command. None permits native code or other programs than Deno, nor to ask for more.
 *
 * @param access what the command needs
 */
export function permissionFlags(access: readonly Access[] = USUAL): string[] {
  const hosts = [
    ...access.includes("hub") ? HUB_HOSTS : [],
    ...access.includes("loopback") ? ["127.0.0.1"] : [],
  ];
  const variables = ["INIT_CWD", "ESPALIER_PROGRAM", ...access.flatMap((need) => VARIABLES[need])];
  return [
    "--no-prompt",
    ...access.includes("files") ? ["-R", "-W", `-S=${SYSTEM.join(",")}`] : [],
    ...hosts.length > 0 ? [`-N=${hosts.join(",")}`] : [],
    ...access.includes("deno") ? ["--allow-run=deno"] : [],
    `-E=${variables.join(",")}`,
  ];
}
