// Data-parallel training in jobs of several processes on this machine. The last line is `N passed, N failed`; the status is 0 if
// nothing failed, 2 if there is no MPI. With `--check` it only looks for MPI, or installs it. Arguments are parts of names.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { readMetrics } from "../../train/metrics.ts";
import { loadRunState } from "../../train/run_state.ts";
import { withCorpus } from "../train/tone_corpus.ts";
import { makeHosts } from "./hosts.ts";
import { alone, errorLines, findMpi, job, type Mpi, start } from "./mpi.ts";

const STEPS = 20;

/** Values that must agree: losses, and tensors by name. */
interface Outcome {
  readonly losses: readonly number[];
  readonly tensors: ReadonlyMap<string, ArrayLike<number>>;
}

async function outcomeOf(folder: string, phase = ""): Promise<Outcome> {
  const metrics = await readMetrics(`${folder}${phase}/metrics.jsonl`);
  const losses = metrics.flatMap(({ loss }) => typeof loss === "number" ? [loss] : []);
  const state = await loadRunState(`${folder}${phase}/state`);
  const { tensors } = state ?? await readCheckpoint(folder);
  return { losses, tensors: new Map([...tensors].map(([name, { data }]) => [name, data])) };
}

/** Checks that values agree to 1e-6 of the largest. */
function assertAgree(found: Outcome, expected: Outcome): void {
  assertEquals(found.losses.length, expected.losses.length);
  const apart = (a: ArrayLike<number>, b: ArrayLike<number>) => {
    let [most, largest] = [0, 0];
    for (let i = 0; i < b.length; i++) {
      most = Math.max(most, Math.abs(a[i]! - b[i]!));
      largest = Math.max(largest, Math.abs(b[i]!));
    }
    return most / (largest || 1);
  };
  assert(apart(found.losses, expected.losses) <= 1e-6, `losses differ: ${found.losses}; ${expected.losses}`);
  for (const [name, values] of expected.tensors) {
    // The bias of keys shifts all scores of a query alike: its gradient is 0 but for rounding, which Adam scales up.
    if (/exp_avg|k_proj\.bias/.test(name)) continue;
    const error = apart(found.tensors.get(name)!, values);
    assert(error <= 1e-6, `${name} differs by ${error}`);
  }
}

const tests = new Map<string, (dir: string) => Promise<void>>();

function trainWords(dir: string, out: string, ...more: string[]): string[] {
  const rates = ["--lr", "0.003", "--steps", String(STEPS), "--save-every", "2", "--eval-every", "10"];
  return ["train", "--recipe", `${dir}/recipe.json`, ...rates, "--out", `${dir}/${out}`, ...more];
}

function pruneWords(dir: string, out: string, ...more: string[]): string[] {
  const source = ["--model", `${dir}/model`, "--data", `${dir}/corpus`, "--batch-seconds", "1.5"];
  const rates = ["--steps", String(STEPS), "--finetune-steps", "4", "--lr", "1e-3", "--seconds", "1"];
  return ["prune", ...source, ...rates, "--save-every", "2", "--out", `${dir}/${out}`, ...more];
}

/** A trained model beside the corpus. */
async function putModel(dir: string): Promise<void> {
  const { status, err } = await alone(...trainWords(dir, "model", "--steps", "3"));
  assertEquals(status, 0, err);
}

function testLibrary(mpi: Mpi): void {
  tests.set(`${mpi.name}: two ranks train as one that accumulates`, async (dir) => {
    const one = await alone(...trainWords(dir, "one", "--grad-accum-steps", "2"));
    assertEquals(one.status, 0, one.err);
    const two = await job(mpi, 2, trainWords(dir, "two")).ended;
    assertEquals(two.status, 0, two.err);
    assertStringIncludes(two.err, `2 processes, by ${mpi.name}`);
    assertAgree(await outcomeOf(`${dir}/two`), await outcomeOf(`${dir}/one`));
  });

  tests.set(`${mpi.name}: two ranks prune as one that accumulates`, async (dir) => {
    await putModel(dir);
    const one = await alone(...pruneWords(dir, "one", "--grad-accum-steps", "2"));
    assertEquals(one.status, 0, one.err);
    const two = await job(mpi, 2, pruneWords(dir, "two")).ended;
    assertEquals(two.status, 0, two.err);
    for (const phase of ["/run/prune", "/run/finetune"]) {
      assertAgree(await outcomeOf(`${dir}/two`, phase), await outcomeOf(`${dir}/one`, phase));
    }
    const { units: [found, expected] } = {
      units: await Promise.all(["two", "one"].map(async (name) => {
        return JSON.parse(await Deno.readTextFile(`${dir}/${name}/espalier.json`)).units;
      })),
    };
    assertEquals(found, expected);
  });

  tests.set(`${mpi.name}: a killed rank ends the job, and it resumes to the same bits`, async (dir) => {
    const whole = await job(mpi, 2, trainWords(dir, "whole")).ended;
    assertEquals(whole.status, 0, whole.err);
    const { ended } = job(mpi, 2, trainWords(dir, "killed"));
    while ((await readMetrics(`${dir}/killed/metrics.jsonl`)).length < 5) await sleep(50);
    await start("pkill", ["-9", "-n", "-f", `train .*--out ${dir}/killed`]).ended; // the newest process
    const killed = performance.now();
    assert((await ended).status !== 0);
    assert(performance.now() - killed < 30_000, "the job took 30 s to end");
    const resumed = await job(mpi, 2, ["train", "--resume", "--out", `${dir}/killed`]).ended;
    assertEquals(resumed.status, 0, resumed.err);
    const [a, b] = await Promise.all(["whole", "killed"].map((name) => {
      return Deno.readFile(`${dir}/${name}/model.safetensors`);
    }));
    assertEquals(a, b);
  });

  tests.set(`${mpi.name}: mistakes end all ranks, with one line`, async (dir) => {
    const cases: [string, Promise<Awaited<ReturnType<typeof alone>>>][] = [
      [
        "Cannot train as each of the 5 processes must have an utterance: there are 4",
        job(mpi, 5, trainWords(dir, "few")).ended,
      ],
      [
        "Cannot train as --grad-accum-steps must be a multiple of the 2 processes: it is 3",
        job(mpi, 2, trainWords(dir, "odd", "--grad-accum-steps", "3")).ended,
      ],
      [
        "Cannot start MPI as ESPALIER_MPI must be a library: /nowhere/libmpi.so",
        job(mpi, 2, trainWords(dir, "none"), { ESPALIER_MPI: "/nowhere/libmpi.so" }).ended,
      ],
    ];
    for (const [message, ended] of cases) {
      const result = await ended;
      assert(result.status !== 0, message);
      assertEquals(errorLines(result)[0], message, result.err);
      assertEquals(errorLines(result).filter((line) => line.startsWith("Cannot")).length, 1, result.err);
      assert(result.seconds < 60, `${result.seconds} s`);
    }
  });
}

function testOpenMpi(mpi: Mpi): void {
  tests.set("ranks with other options than rank 0 are named", async (dir) => {
    const [program, ...before] = mpi.launcher;
    const espalier = new URL("../../espalier", import.meta.url).pathname;
    const words = ["-n", "1", espalier, ...trainWords(dir, "out"), ":", "-n", "1", espalier];
    const result = await start(program!, [...before, ...words, ...trainWords(dir, "out", "--seed", "7")])
      .ended;
    assert(result.status !== 0);
    assertStringIncludes(
      result.err,
      "Cannot train as all ranks must have the same options: rank 1 has another than rank 0",
    );
  });

  tests.set("a job resumes with another number of ranks", async (dir) => {
    const accumulate = ["--grad-accum-steps", "4"];
    const half = await job(mpi, 4, trainWords(dir, "run", ...accumulate, "--steps", "10")).ended;
    assertEquals(half.status, 0, half.err);
    const rest = await job(mpi, 2, ["train", "--resume", "--steps", String(STEPS), "--out", `${dir}/run`])
      .ended;
    assertEquals(rest.status, 0, rest.err);
    assertStringIncludes(
      rest.err,
      "resuming with 2 processes: with another number, results differ in the last bits",
    );
    assertEquals(
      (await readMetrics(`${dir}/run/metrics.jsonl`)).filter(({ loss }) => loss !== undefined).length,
      STEPS,
    );
  });

  tests.set("four ranks on four hosts train as one", async (dir) => {
    await using hosts = await makeHosts(dir);
    if (!hosts) return console.log("not run: hosts are network namespaces, which need root");
    const [program, ...before] = mpi.launcher;
    const espalier = new URL("../../espalier", import.meta.url).pathname;
    const words = [
      ...before,
      ...hosts.words,
      "-n",
      String(hosts.count),
      espalier,
      ...trainWords(dir, "four"),
    ];
    const four = await start(program!, words).ended;
    assertEquals(four.status, 0, four.err);
    const one = await alone(...trainWords(dir, "one", "--grad-accum-steps", "4"));
    assertEquals(one.status, 0, one.err);
    assertAgree(await outcomeOf(`${dir}/four`), await outcomeOf(`${dir}/one`));
  });

  if (Deno.uid() !== 0) return;
  tests.set("a full disk on rank 0 ends all ranks, with one line", async (dir) => {
    await Deno.mkdir(`${dir}/small`);
    const mounted = await start("mount", ["-t", "tmpfs", "-o", "size=64k", "espalier", `${dir}/small`]).ended;
    if (mounted.status !== 0) return; // in a container without that right
    try {
      const result = await job(mpi, 2, trainWords(dir, "small/run")).ended;
      assert(result.status !== 0);
      assertEquals(errorLines(result).filter((line) => line.startsWith("Cannot")).length, 1, result.err);
    } finally {
      await start("umount", [`${dir}/small`]).ended;
    }
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function main(): Promise<number> {
  const found = await findMpi();
  if (found.length === 0) {
    console.error("Cannot test jobs: there is no MPI on this machine: install Debian's openmpi-bin or mpich");
    return 2;
  }
  if (Deno.args.includes("--check")) return 0;
  for (const mpi of found) testLibrary(mpi);
  if (found[0]!.name === "Open MPI") testOpenMpi(found[0]!);
  let [passed, failed] = [0, 0];
  for (const [name, test] of tests) {
    if (Deno.args.length > 0 && !Deno.args.some((part) => name.includes(part))) continue;
    const begin = performance.now();
    let error: unknown = null;
    await withCorpus(test).catch((thrown) => error = thrown);
    if (error) failed++;
    else passed++;
    console.log(
      `${name} ... ${error ? "FAILED" : "ok"} (${((performance.now() - begin) / 1000).toFixed(1)} s)`,
    );
    if (error) console.log(error);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
