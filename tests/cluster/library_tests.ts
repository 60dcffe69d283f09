// Tests with every library.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readMetrics } from "../../train/metrics.ts";
import { alone, errorLines, job, type Mpi, ROOT, type Running, start } from "./mpi.ts";
import { assertAgree, type Outcome, outcomeOf } from "./outcome.ts";
import { pruneWords, putModel, STEPS, type Tests, trainWords } from "./runs.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The state after 20 steps of a pruning, which is killed then: a state does not stay on disk when its stage is done. */
async function stateOf(dir: string, name: string, run: (words: string[]) => Running): Promise<Outcome> {
  const phase = "/run/prune";
  const states = `${dir}/${name}${phase}/state`;
  const words = pruneWords(dir, name, "--save-every", String(STEPS), "--steps", String(10 * STEPS));
  const { ended } = run(words);
  let status: number | null = null;
  ended.then((job) => status = job.status);
  while (status === null && !await exists(`${states}/step-000000${STEPS}`)) await sleep(20);
  assertEquals(status, null, "it ended early");
  await start("pkill", ["-9", "-f", `prune .*--out ${dir}/${name}`]).ended;
  await ended;
  for await (const { name } of Deno.readDir(states)) {
    if (name !== `step-000000${STEPS}`) await Deno.remove(`${states}/${name}`, { recursive: true });
  }
  const { losses, tensors } = await outcomeOf(`${dir}/${name}`, phase);
  return { losses: losses.slice(0, STEPS), tensors };
}

const exists = (path: string) => Deno.stat(path).then(() => true, () => false);

/** Adds the tests of a library. */
export function testLibrary(mpi: Mpi, tests: Tests): void {
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

  tests.set(`${mpi.name}: two ranks learn the gates of one that accumulates`, async (dir) => {
    await putModel(dir);
    const found = await stateOf(dir, "two", (words) => job(mpi, 2, words));
    const expected = await stateOf(dir, "one", (words) => {
      return start(`${ROOT}espalier`, [...words, "--grad-accum-steps", "2"]);
    });
    const gates = [...expected.tensors.keys()].filter((name) => name.startsWith("gates.log_alpha."));
    assert(gates.length > 0);
    assertAgree(found, expected);
  });

  tests.set(`${mpi.name}: a killed rank ends the job, and it resumes to the same bits`, async (dir) => {
    const steps = ["--steps", String(3 * STEPS)]; // most are left when it is killed
    const whole = await job(mpi, 2, trainWords(dir, "whole", ...steps)).ended;
    assertEquals(whole.status, 0, whole.err);
    const { ended } = job(mpi, 2, trainWords(dir, "killed", ...steps));
    let over = false;
    ended.then(() => over = true);
    while (!over && (await readMetrics(`${dir}/killed/metrics.jsonl`)).length < 5) await sleep(20);
    assertEquals(over, false, "it ended early");
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
