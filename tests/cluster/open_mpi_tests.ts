// Tests with Open MPI alone: those that do not depend on the library, or on its launcher's options.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readMetrics } from "../../train/metrics.ts";
import { makeHosts } from "./hosts.ts";
import { alone, errorLines, job, type Mpi, ROOT, start } from "./mpi.ts";
import { assertAgree, outcomeOf } from "./outcome.ts";
import { pruneWords, putModel, STEPS, type Tests, trainWords } from "./runs.ts";

/** A corpus with another transcript. */
async function otherCorpus(dir: string): Promise<string> {
  const copied = await start("cp", ["-r", `${dir}/corpus`, `${dir}/other-corpus`]).ended;
  assertEquals(copied.status, 0, copied.err);
  const rows = `${dir}/other-corpus/train.jsonl`;
  await Deno.writeTextFile(rows, (await Deno.readTextFile(rows)).replace("abc!", "cab!"));
  return `${dir}/other-corpus`;
}

/** A checkout of another version. */
async function otherVersion(dir: string): Promise<string> {
  const copy = 'mkdir "$0" && git ls-files -z | xargs -0 cp --parents -t "$0"';
  const copied = await start("sh", ["-c", copy, `${dir}/checkout`]).ended;
  assertEquals(copied.status, 0, copied.err);
  const config = `${dir}/checkout/deno.json`;
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, text.replace(/"version": "[^"]*"/, '"version": "99.0.0"'));
  return `${dir}/checkout/`;
}

/** Adds the tests. */
export function testOpenMpi(mpi: Mpi, tests: Tests): void {
  /** Runs two ranks, each with words, or a checkout, of its own. */
  const differing = (first: string[], second: string[], checkout = ROOT) => {
    const [program, ...before] = mpi.launcher;
    const words = ["-n", "1", `${ROOT}espalier`, ...first, ":", "-n", "1", `${checkout}espalier`, ...second];
    return start(program!, [...before, ...words]).ended;
  };

  tests.set("ranks with another model, data, version or options than rank 0 are named", async (dir) => {
    await putModel(dir);
    const other = await alone(...trainWords(dir, "other", "--steps", "1"));
    assertEquals(other.status, 0, other.err);
    const [train, prune] = [trainWords(dir, "out"), pruneWords(dir, "out")];
    const cases = [
      ["model", await differing(prune, [...prune, "--model", `${dir}/other`])],
      ["training subset", await differing(train, [...train, "--data", await otherCorpus(dir)])],
      ["version of espalier", await differing(train, train, await otherVersion(dir))],
      ["options", await differing(train, [...train, "--seed", "7"])],
    ] as const;
    for (const [what, result] of cases) {
      assert(result.status !== 0, what);
      const rule = `Cannot train as all ranks must have the same ${what}: rank 1 has another than rank 0`;
      assertEquals(errorLines(result)[0], rule, result.err);
      assertEquals(errorLines(result).filter((line) => line.startsWith("Cannot")).length, 1, result.err);
    }
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
