// Tests with Open MPI alone: those that do not depend on the library, or on its launcher's options.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readMetrics } from "../../train/metrics.ts";
import { makeHosts } from "./hosts.ts";
import { alone, errorLines, job, type Mpi, ROOT, start } from "./mpi.ts";
import { assertAgree, outcomeOf } from "./outcome.ts";
import { STEPS, type Tests, trainWords } from "./runs.ts";

/** Adds the tests. */
export function testOpenMpi(mpi: Mpi, tests: Tests): void {
  tests.set("ranks with other options than rank 0 are named", async (dir) => {
    const [program, ...before] = mpi.launcher;
    const espalier = `${ROOT}espalier`;
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
    const espalier = `${ROOT}espalier`;
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
