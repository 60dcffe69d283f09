// Measures two processes of a job on this machine against one, with one thread of the software adapter each.
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { readMetrics } from "../train/metrics.ts";
import type { StepModel } from "./scaling.ts";
import { median } from "./statistics.ts";
import { plain } from "../prune/report/text_table.ts";

const root = new URL("../", import.meta.url).pathname;

/** Steps of a run, and how many at its start are not counted: shaders are compiled, the cache of utterances fills. */
const [STEPS, WARM] = [30, 6];
const ROUNDS = 3;
const BATCH_SECONDS = 64;

const TRAIN = [
  ...["train", "--model", `${root}assets/commands-tiny`, "--batch-seconds", String(BATCH_SECONDS)],
  ...["--grad-accum-steps", "2", "--steps", String(STEPS), "--save-every", "1000", "--eval-every", "1000"],
];

/** Seconds of a step of a run of so many processes. */
async function measureStep(processes: number): Promise<number> {
  const folder = await Deno.makeTempDir();
  try {
    const words = [...TRAIN, "--out", `${folder}/run`];
    const [program, args] = processes === 1
      ? [`${root}espalier`, words]
      : ["mpirun", ["--oversubscribe", "-n", String(processes), `${root}espalier`, ...words]];
    const env = { LP_NUM_THREADS: "1", OMPI_ALLOW_RUN_AS_ROOT: "1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1" };
    const { success, stderr } = await new Deno.Command(program, { args, env, cwd: root }).output();
    if (!success) throw new Error(`Cannot measure: ${new TextDecoder().decode(stderr)}`);
    const times = (await readMetrics(`${folder}/run/metrics.jsonl`))
      .flatMap(({ loss, seconds }) => loss === undefined ? [] : [Number(seconds)]);
    return (times.at(-1)! - times[WARM - 1]!) / (times.length - WARM);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Steps of one process and of two, in alternation.
 *
 * @param simulate Seconds of a step, see {@linkcode StepModel}.
 * @param links Links of the simulation.
 * @returns A table.
 */
export async function measureRanks(
  simulate: (step: StepModel) => number,
  links: Pick<StepModel, "device" | "host" | "latency" | "bucket">,
): Promise<string> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    for (const processes of [1, 2] as const) times[processes - 1]!.push(await measureStep(processes));
  }
  const [one, two] = times.map(median) as [number, number];
  const { tensors } = await readCheckpoint(`${root}assets/commands-tiny`);
  const gradients = [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  const compute = one / 2; // of the two micro-batches that one process computes
  const network = { hosts: 1, perHost: 2, network: 1 };
  const predicted = simulate({
    forward: compute / 3,
    backward: 2 * compute / 3,
    gradients,
    ...links,
    ...network,
  });
  const ms = (seconds: number) => `${(1e3 * seconds).toFixed(0)} ms`;
  return plain({
    head: ["", "step", "speed-up"],
    rows: [
      ["one process", ms(one), "1.00"],
      ["two processes, measured", ms(two), (one / two).toFixed(2)],
      ["two processes, simulated", ms(predicted), (one / predicted).toFixed(2)],
    ],
  });
}
