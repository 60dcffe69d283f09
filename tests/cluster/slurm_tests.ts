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
}
