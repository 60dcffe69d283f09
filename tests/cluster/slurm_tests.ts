// Tests of the batch scripts in examples/slurm, with MPICH.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { alone, type Mpi } from "./mpi.ts";
import { assertAgree, outcomeOf } from "./outcome.ts";
import { pruneWords, putModel, type Tests } from "./runs.ts";
import { openScheduler } from "./slurm.ts";

/** Adds the tests. */
export function testBatchScripts(mpi: Mpi, tests: Tests): void {
  tests.set("a batch job prunes with four ranks, ends by a signal, and resumes", async (dir) => {
    await putModel(dir);
    // With a larger one Adam scales up the rounding of gradients that are almost 0: sums of four have another order.
    const less = ["--lr", "1e-5", "--steps", "10", "--finetune-steps", "2"];
    const one = await alone(...pruneWords(dir, "one", ...less, "--grad-accum-steps", "4"));
    assertEquals(one.status, 0, one.err);
    // The script has these three options itself.
    const given = new Set([
      "prune",
      "--model",
      "--data",
      "--out",
      `${dir}/model`,
      `${dir}/corpus`,
      `${dir}/four`,
    ]);
    const env = {
      MODEL: `${dir}/model`,
      DATA: `${dir}/corpus`,
      OUT: `${dir}/four`,
      OPTIONS: pruneWords(dir, "four", ...less).filter((word) => !given.has(word)).join(" "),
    };
    await using scheduler = await openScheduler(dir, mpi);
    const script = "examples/slurm/prune.sbatch";
    const first = scheduler.submit(script, env);
    if (scheduler.real) {
      const metrics = `${dir}/four/run/prune/metrics.jsonl`;
      const begun = () => Deno.readTextFile(metrics).then((text) => text.split("\n").length > 4, () => false);
      for (let ended = false; !ended && !await begun();) {
        const sleep = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20));
        ended = await Promise.race([sleep, first.then(() => true)]);
      }
      await scheduler.signal("TERM");
      const { status, log } = await first;
      assertEquals(status, 143, log);
      const rest = await scheduler.submit(script, env);
      assertEquals(rest.status, 0, rest.log);
      assertStringIncludes(rest.log, "resuming");
    } else {
      const { status, log } = await first;
      assertEquals(status, 0, log);
    }
    for (const phase of ["/run/prune", "/run/finetune"]) {
      assertAgree(await outcomeOf(`${dir}/four`, phase), await outcomeOf(`${dir}/one`, phase));
    }
  });

  tests.set("the tasks of an array share a sweep", async (dir) => {
    await putModel(dir);
    const options =
      "--methods uniform,mac --targets 0.5 --seeds 1,2 --steps 4 --finetune-steps 0 --batch-seconds 1.5 --seconds 1";
    const env = { MODEL: `${dir}/model`, DATA: `${dir}/corpus`, OUT: `${dir}/array`, OPTIONS: options };
    await using scheduler = await openScheduler(dir, mpi);
    const { status, log } = await scheduler.submit("examples/slurm/sweep.sbatch", env, 2);
    assertEquals(status, 0, log);
    const words = [
      "sweep",
      "--model",
      env.MODEL,
      "--data",
      env.DATA,
      "--out",
      `${dir}/alone`,
      ...options.split(" "),
    ];
    const one = await alone(...words);
    assertEquals(one.status, 0, one.err);
    const [found, expected] = await Promise.all(["array", "alone"].map((name) => runsOf(`${dir}/${name}`)));
    assertEquals(found!.map(({ name }) => name), expected!.map(({ name }) => name));
    assertEquals(found!.length, 4);
    for (const [i, { state, weights }] of found!.entries()) {
      assertEquals(state, "finished");
      assertEquals(weights, expected![i]!.weights);
    }
  });
}

/** The runs of a sweep's table, with the bytes of their models. */
async function runsOf(folder: string) {
  const { runs } = JSON.parse(await Deno.readTextFile(`${folder}/sweep.json`)) as {
    runs: { name: string; state: string }[];
  };
  return await Promise.all(runs.map(async ({ name, state }) => {
    return { name, state, weights: await Deno.readFile(`${folder}/runs/${name}/model.safetensors`) };
  }));
}
