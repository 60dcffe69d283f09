// Slurm on this machine: its daemons on loopback, with settings, keys and states in a folder of the test. They need root.
import { installDebian, succeeds } from "../install.ts";
import { type Mpi, start } from "./mpi.ts";

/** Seconds within which the daemons must be ready. */
const START_SECONDS = 30;

/** Where Debian puts daemons. */
const PATH = `${Deno.env.get("PATH")}:/usr/sbin`;

/** A batch job that has ended: its status, the largest of an array, and what it printed. */
export interface BatchJob {
  readonly status: number;
  readonly log: string;
}

/** Runs batch scripts. */
export interface Scheduler extends AsyncDisposable {
  /** Whether it is Slurm itself. */
  readonly real: boolean;
  /** Runs a batch script with variables for it, as an array of so many tasks if given; resolves when its job has ended. */
  submit(script: string, env: Readonly<Record<string, string>>, tasks?: number): Promise<BatchJob>;
  /** Sends a signal to the processes of all jobs. */
  signal(name: string): Promise<void>;
}

/** Runs a program until standard input ends: also when the tests are killed. */
const WITH_STDIN = `"$@" </dev/null & daemon=$!; cat; kill $daemon; wait $daemon`;

interface Daemon {
  readonly log: string;
  stop(): Promise<void>;
}

function startDaemon(folder: string, env: Record<string, string>, ...words: string[]): Daemon {
  const log = `${folder}/${words[0]}.log`;
  const child = new Deno.Command("sh", {
    args: ["-c", `(${WITH_STDIN}) >"$0" 2>&1`, log, ...words],
    env: { ...env, PATH },
    stdin: "piped",
  }).spawn();
  return {
    log,
    async stop() {
      await child.stdin.close();
      await child.status;
    },
  };
}

/** A port that is free now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Settings of one node with four CPUs, whatever the machine has. */
function settings(folder: string, host: string): string {
  return `ClusterName=loopback
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${freePort()}
SlurmdPort=${freePort()}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=5
SlurmdParameters=config_overrides
NodeName=${host} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`;
}

/** Installs Slurm if it is missing and that needs no password. Whether it is there. */
export async function installSlurm(): Promise<boolean> {
  const programs = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd"];
  const found = async () => (await Promise.all(programs.map((one) => succeeds(one, "-V")))).every(Boolean);
  return await found() || await installDebian("slurm-wlm", "munge") && await found();
}

/** Starts Slurm. @throws {Error} If that is not possible; one line. */
async function startSlurm(folder: string): Promise<Scheduler> {
  if (Deno.uid() !== 0) throw new Error("its daemons need root");
  if (!await installSlurm()) throw new Error("Debian's slurm-wlm and munge are not installed");
  for (const name of ["state", "spool"]) await Deno.mkdir(`${folder}/${name}`, { recursive: true });
  const host = Deno.hostname().split(".")[0]!;
  const env = { SLURM_CONF: `${folder}/slurm.conf` };
  await Deno.writeTextFile(env.SLURM_CONF, settings(folder, host));
  const key = crypto.getRandomValues(new Uint8Array(1024));
  await Deno.writeFile(`${folder}/munge.key`, key, { mode: 0o400 });
  const files = ["key-file", "socket", "pid-file", "seed-file"].map((name) => {
    return `--${name}=${folder}/munge.${name.split("-")[0]}`;
  });
  const daemons = [startDaemon(folder, env, "munged", "--foreground", "--force", ...files)];
  const run = (program: string, ...words: string[]) => start(program, words, env).ended;
  const slurm = {
    real: true,
    async submit(script: string, more: Readonly<Record<string, string>>, tasks?: number) {
      const logs = await Deno.makeTempDir({ dir: folder });
      const array = tasks ? [`--array=1-${tasks}`] : [];
      const words = ["--parsable", `--output=${logs}/%j.log`, ...array, script];
      const { out, err } = await start("sbatch", words, { ...env, ...more }).ended;
      const status = await endOf(out.trim(), env);
      let log = err;
      for await (const { name } of Deno.readDir(logs)) log += await Deno.readTextFile(`${logs}/${name}`);
      return { status, log };
    },
    signal: async (name: string) => {
      await run("scancel", `--signal=${name}`, "--me");
    },
    async [Symbol.asyncDispose]() {
      await run("scancel", "--me");
      await wait(async () => (await run("squeue", "-h")).out === "");
      for (const daemon of daemons.reverse()) await daemon.stop();
    },
  };
  try {
    await wait(() => succeeds("munge", "-n", `--socket=${folder}/munge.socket`));
    daemons.push(startDaemon(folder, env, "slurmctld", "-D"));
    daemons.push(startDaemon(folder, env, "slurmd", "-D"));
    if (await wait(async () => (await run("sinfo", "-h", "-o", "%T")).out.trim() === "idle")) return slurm;
    const logs = await Promise.all(daemons.slice(1).map(({ log }) => Deno.readTextFile(log)));
    const errors = logs.join("").split("\n").filter((line) => /error|fatal/.test(line));
    throw new Error(`its daemons were not ready after ${START_SECONDS} s: ${errors.at(-1) ?? "no error"}`);
  } catch (error) {
    await slurm[Symbol.asyncDispose]();
    throw error;
  }
}

/** The largest status of a job's tasks, when all have ended. `sbatch --wait` looks every 32 s only. */
async function endOf(job: string, env: Record<string, string>): Promise<number> {
  while (true) {
    const { status, out, err } = await start("scontrol", ["show", "job", "--oneliner", job], env).ended;
    if (status !== 0) throw new Error(err.trim());
    const fields = (name: string) =>
      [...out.matchAll(RegExp(` ${name}=(\\w+)`, "g"))].map(([, value]) => value!);
    const running = /PENDING|CONFIGURING|RUNNING|COMPLETING|SUSPENDED/;
    if (!fields("JobState").some((state) => running.test(state))) {
      return Math.max(...fields("ExitCode").map(Number));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until a condition holds, for the seconds of a start. Whether it does. */
async function wait(holds: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + 1000 * START_SECONDS; performance.now() < end;) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

/** In place of srun: drops its options and starts as many processes as the batch script asks for. */
const SRUN = `#!/bin/sh
while case $1 in -*) true ;; *) false ;; esac; do shift; done
exec $LAUNCHER -n "$TASKS" "$@"
`;

/** Runs batch scripts by the shell, with a stand-in for srun. */
async function standIn(folder: string, { launcher }: Mpi): Promise<Scheduler> {
  await Deno.mkdir(`${folder}/bin`);
  await Deno.writeTextFile(`${folder}/bin/srun`, SRUN, { mode: 0o755 });
  return {
    real: false,
    async submit(script, more, tasks) {
      const ntasks = /^#SBATCH --ntasks=(\d+)/m.exec(await Deno.readTextFile(script))![1]!;
      const path = `${folder}/bin:${Deno.env.get("PATH")}`;
      const env = { ...more, PATH: path, LAUNCHER: launcher.join(" "), TASKS: ntasks };
      const array = Array.from({ length: tasks ?? 0 }, (_, i) => ({
        SLURM_ARRAY_TASK_ID: String(i + 1),
        SLURM_ARRAY_TASK_MIN: "1",
        SLURM_ARRAY_TASK_COUNT: String(tasks),
      }));
      const begun = (tasks ? array : [{}]).map((task) => start("sh", [script], { ...env, ...task }).ended);
      const ended = await Promise.all(begun);
      return {
        status: Math.max(...ended.map(({ status }) => status)),
        log: ended.map(({ out, err }) => out + err).join(""),
      };
    },
    signal: () => Promise.reject(new Error("Cannot send a signal as that needs Slurm")),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/**
 * Slurm, or a stand-in for srun where its daemons cannot run.
 *
 * @param folder Folder of the test.
 * @param mpi Starts the processes of the stand-in.
 */
export async function openScheduler(folder: string, mpi: Mpi): Promise<Scheduler> {
  const own = `${folder}/slurm`;
  await Deno.mkdir(own);
  try {
    return await startSlurm(own);
  } catch (error) {
    console.log(`srun is a stand-in, as Slurm cannot run: ${(error as Error).message}`);
    return await standIn(own, mpi);
  }
}
