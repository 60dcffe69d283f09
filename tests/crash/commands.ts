// Commands that write, as processes of their own in a folder of their own: to be killed, and to be started twice.
import { readMetrics } from "../../train/metrics.ts";
import { digestOf } from "../../files/digest.ts";
import { keptCaches } from "../caches.ts";
import { type Hub, serveHub } from "../model/hub/hub_server.ts";

const path = (name: string) => decodeURIComponent(new URL(`../../${name}`, import.meta.url).pathname);
const MODEL = path("assets/commands-tiny");
const STEPS = ["--batch-seconds", "6", "--save-every", "2", "--eval-every", "4"];

/** A place for commands: a folder with caches of its own, and a hub with a model that it sends slowly. */
export interface Place extends AsyncDisposable {
  readonly dir: string;
  readonly hub: Hub;
  /** Variables of the caches that it shares with the tests. */
  readonly caches: Readonly<Record<string, string>>;
}

/** Opens a place. @param pace Milliseconds between the pieces of a download. */
export async function openPlace(pace = 0): Promise<Place> {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const name of ["config.json", "model.safetensors", "preprocessor_config.json", "vocab.json"]) {
    files[name] = await Deno.readFile(`${MODEL}/${name}`);
  }
  const hub = serveHub(files);
  hub.pace = pace;
  const dir = await Deno.makeTempDir({ prefix: "espalier-crash-" });
  return {
    dir,
    hub,
    caches: await keptCaches(),
    async [Symbol.asyncDispose]() {
      await Deno.remove(dir, { recursive: true });
      await hub[Symbol.asyncDispose]();
    },
  };
}

/** A process of the program. */
export interface Started {
  readonly child: Deno.ChildProcess;
  /** Exit status or signal, and standard error. */
  readonly ended: Promise<{ readonly status: number | Deno.Signal; readonly err: string }>;
}

/** Starts the program. */
export function start({ dir, hub, caches }: Place, words: readonly string[]): Started {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", path("cli.ts"), ...words],
    env: {
      ...caches,
      XDG_CACHE_HOME: `${dir}/cache`,
      HF_HOME: `${dir}/hf`,
      HF_ENDPOINT: hub.endpoint,
      HF_TOKEN: "",
      NO_COLOR: "1",
    },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const ended = child.output().then(({ code, signal, stderr }) => {
    return { status: signal ?? code, err: new TextDecoder().decode(stderr) };
  });
  return { child, ended };
}

/** Runs a command to its end. @throws {Error} If it fails. */
export async function runWhole(place: Place, words: readonly string[]): Promise<void> {
  const { status, err } = await start(place, words).ended;
  if (status !== 0) throw new Error(`${words.join(" ")}: status ${status}\n${err}`);
}

/** A command that writes a folder or file. */
export interface WritingCommand {
  readonly name: string;
  /** Words of the command line. */
  words(dir: string): string[];
  /** Words that take it up after it was killed; default: the same. */
  again?(dir: string): Promise<string[]>;
  /** What it leaves in the end, to the bit. */
  outcome(dir: string): Promise<unknown>;
}

/** Makes the corpus of the others. */
export const corpus: WritingCommand = {
  name: "data commands",
  words: (
    dir,
  ) => ["data", "commands", "--train", "12", "--dev", "3", "--test", "3", "--out", `${dir}/corpus`],
  outcome: (dir) => treeOf(`${dir}/corpus`),
};

/** Downloads a model and prunes it. */
export const prune: WritingCommand = {
  name: "prune",
  words: (dir) => [
    ...["prune", "--model", "org/name", "--data", `${dir}/corpus`, "--out", `${dir}/pruned`],
    ...["--steps", "8", "--finetune-steps", "4", "--seconds", "1", ...STEPS],
  ],
  async again(dir) {
    const begun = await exists(`${dir}/pruned/run/journal.json`);
    return begun ? ["prune", "--resume", "--out", `${dir}/pruned`] : this.words(dir);
  },
  async outcome(dir) {
    const report = JSON.parse(await Deno.readTextFile(`${dir}/pruned/report.json`));
    const { models, pruning, finetuning, units, constraints, data } = report;
    const scores = models.map(({ seconds_per_second: _, ...model }: Record<string, unknown>) => model);
    return {
      weights: await digestOf(await Deno.readFile(`${dir}/pruned/model.safetensors`)),
      record: await Deno.readTextFile(`${dir}/pruned/espalier.json`),
      report: { scores, pruning, finetuning, units, constraints, data: { ...data, name: "" } },
      metrics: [await metricsOf(`${dir}/pruned/run/prune`), await metricsOf(`${dir}/pruned/run/finetune`)],
      left: await leftIn(dir),
    };
  },
};

/** Trains a model further. */
export const train: WritingCommand = {
  name: "train",
  words: (dir) => [
    ...[
      "train",
      "--model",
      MODEL,
      "--data",
      `${dir}/corpus`,
      "--out",
      `${dir}/trained`,
      "--steps",
      "12",
      ...STEPS,
    ],
  ],
  async again(dir) {
    const states = await Array.fromAsync(Deno.readDir(`${dir}/trained/state`)).catch(() => []);
    const begun = states.some(({ name }) => !name.endsWith(".partial"));
    return begun ? ["train", "--resume", "--out", `${dir}/trained`] : this.words(dir);
  },
  outcome: async (dir) => ({
    weights: await digestOf(await Deno.readFile(`${dir}/trained/model.safetensors`)),
    metrics: await metricsOf(`${dir}/trained`),
    left: await leftIn(dir),
  }),
};

async function metricsOf(folder: string) {
  return (await readMetrics(`${folder}/metrics.jsonl`)).map(({ seconds: _, ...record }) => record);
}

/** Temporary files and locks that were left behind. */
async function leftIn(dir: string): Promise<string[]> {
  return Object.keys(await treeOf(dir)).filter((name) => /\.(partial|lock|incomplete)(\/|$)/.test(name))
    .sort();
}

/** Whether a path exists. */
export async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Digests of the files in a folder, by path. */
export async function treeOf(folder: string, at = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, isDirectory, isFile } of await Array.fromAsync(Deno.readDir(`${folder}/${at}`))) {
    if (isDirectory) Object.assign(files, await treeOf(folder, `${at}${name}/`));
    else if (isFile) files[at + name] = await digestOf(await Deno.readFile(`${folder}/${at}${name}`));
  }
  return files;
}
