import { assert, assertEquals, assertRejects } from "@std/assert";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { trainModel, type TrainModelOptions } from "../../train/loop.ts";
import { readMetrics } from "../../train/metrics.ts";
import { type BatchSource, repeatBatches } from "../../train/micro_batch.ts";
import { loadRunState } from "../../train/run_state.ts";
import { testGpu } from "../gpu.ts";
import { killedAt } from "../kill_at.ts";
import { smallRun } from "./resume_run.ts";
import { TEXTS, tinyCheckpoint, toneBatch } from "./tiny.ts";

/** Runs in a folder that is gone afterwards, and checks that all memory came back. */
async function inFolder(
  test: (
    folder: string,
    run: (options?: Partial<TrainModelOptions>) => ReturnType<typeof trainModel>,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const gpu = await testGpu();
  const live = gpu.pool.live;
  try {
    await test(folder, (options = {}) => trainModel({ ...smallRun(), gpu, out: folder, ...options }));
    assertEquals(gpu.pool.live, live, "live buffers");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a run is to end with, whatever happened on the way. */
async function outcome(folder: string) {
  const { step, tensors, info } = (await loadRunState(`${folder}/state`))!;
  const { seconds: _, ...run } = info["run"] as { seconds: number };
  const metrics = (await readMetrics(`${folder}/metrics.jsonl`)).map(({ seconds: _, ...record }) => record);
  return { step, run, tensors, metrics, model: await Deno.readFile(`${folder}/model.safetensors`) };
}

let uninterrupted: Awaited<ReturnType<typeof outcome>> | null = null;
async function expected() {
  if (!uninterrupted) {
    await inFolder(async (folder, run) => {
      await run();
      uninterrupted = await outcome(folder);
    });
  }
  return uninterrupted!;
}

/** The small run's source with something else in a place. */
function disturbed(at: number, what: (nth: number) => void): BatchSource {
  const { source } = smallRun();
  return {
    async *from(position) {
      for await (const batch of source.from(position)) {
        what(batch.next.epoch * 3 + batch.next.batch - 1 - at);
        yield batch;
      }
    },
  };
}

Deno.test("a run keeps its metrics, its best model and its last two states", () =>
  inFolder(async (folder, run) => {
    const { steps, ended, best } = await run();
    assertEquals([steps, ended], [20, "steps"]);
    const { metrics } = await expected();
    assertEquals(metrics.filter(({ loss }) => loss !== undefined).map(({ step }) => step), [
      ...Array.from({ length: 20 }, (_, i) => i + 1),
    ]);
    const evaluations = metrics.filter(({ dev_loss }) => dev_loss !== undefined);
    assertEquals(evaluations.map(({ step }) => step), [6, 12, 18, 20]);
    assertEquals(evaluations.findLast((record) => record["best"])?.step, best?.step);
    const names = (await Array.fromAsync(Deno.readDir(`${folder}/state`))).map(({ name }) => name).sort();
    assertEquals(names, ["step-00000016", "step-00000020"]);
    const { tensors } = await readCheckpoint(folder);
    const { tensors: saved } = (await loadRunState(`${folder}/state`))!;
    const same = [...tensors].filter(([name, { data }]) =>
      data.join() === saved.get(`weight.${name}`)?.data.join()
    );
    if (best?.step === 20) {
      assert(same.length > tensors.size / 2, `${same.length} tensors are those of the state`);
    }
  }));

for (const at of [1, 9, 29]) {
  Deno.test(`a run that fails at batch ${at} and is resumed ends as one that does not`, () =>
    inFolder(async (folder, run) => {
      const source = disturbed(at, (nth) => {
        if (nth === 0) throw new Error("Cannot read a file as it must be complete: it is not");
      });
      await assertRejects(() => run({ source }), Error, "Cannot read a file");
      await run({ resume: await loadRunState(`${folder}/state`) });
      assertEquals(await outcome(folder), await expected());
    }));
}

Deno.test("a run that is killed twice and resumed ends as one that is not", () =>
  inFolder(async (folder) => {
    const run = (args: readonly string[] = [], env: Record<string, string> = {}) => {
      const module = new URL("resume_run.ts", import.meta.url).pathname;
      const words = ["run", "-A", "--quiet", ...args, module, folder];
      return new Deno.Command(Deno.execPath(), { args: words, env, stdout: "inherit", stderr: "inherit" })
        .spawn().status;
    };
    for (const step of [3, 11]) {
      const { args, env } = killedAt({ path: `${folder}/metrics.jsonl`, step });
      assertEquals((await run(args, env)).signal, "SIGKILL");
    }
    assertEquals((await run()).code, 0);
    assertEquals(await outcome(folder), await expected());
  }));

Deno.test("a signal ends a run with its state, from which it resumes", () =>
  inFolder(async (folder, run) => {
    const controller = new AbortController();
    const source = disturbed(15, (nth) => {
      if (nth === 0) controller.abort();
    });
    const { steps, ended } = await run({ source, signal: controller.signal });
    assertEquals([ended, (await loadRunState(`${folder}/state`))!.step], ["signal", steps]);
    assert(steps < 20, `${steps} steps`);
    await run({ resume: await loadRunState(`${folder}/state`) });
    assertEquals(await outcome(folder), await expected());
  }));

Deno.test("a loss that is not finite ends the run with the state of the step before", () =>
  inFolder(async (folder, run) => {
    const { checkpoint } = smallRun();
    const good = toneBatch(checkpoint, TEXTS);
    const bad = { ...good, inputValues: good.inputValues.map((x, i) => i === 999 ? NaN : x) };
    const batches = [good, good, good, good, good, bad, good, good];
    const source = repeatBatches(batches);
    await assertRejects(
      () => run({ source, gradAccumSteps: 1 }),
      RangeError,
      `step 6 has loss NaN and gradient norm NaN, the state before it is in ${folder}/state/step-00000005`,
    );
    const found = (await loadRunState(`${folder}/state`))!;
    assertEquals(found.step, 5);
    assert([...found.tensors.values()].every(({ data }) => data.every(Number.isFinite)));
    // With that batch mended it resumes as a run that never met it.
    const mended = repeatBatches(batches.map(() => good));
    await run({ source: mended, gradAccumSteps: 1, resume: found });
    const end = await outcome(folder);
    await inFolder(async (other, run) => {
      await run({ source: mended, gradAccumSteps: 1 });
      assertEquals(end.tensors, (await outcome(other)).tensors);
    });
  }));

Deno.test("a run ends when it does not get better, and frozen features stay", () =>
  inFolder(async (folder, run) => {
    const { steps, ended, best } = await run({
      lr: 1e-12,
      evalEvery: 1,
      patience: 3,
      freezeFeatureEncoder: true,
    });
    assertEquals([ended, steps], ["patience", best!.step + 3]);
    const { tensors } = await readCheckpoint(folder);
    for (const [name, { data }] of smallRun().checkpoint.tensors) {
      if (name.startsWith("feature_extractor.")) assertEquals(tensors.get(name)!.data, data);
    }
    const found = await loadRunState(`${folder}/state`);
    await assertRejects(() => run({ resume: found }), TypeError, "Cannot resume as the state's exp_avg.");
    const checkpoint = tinyCheckpoint("wav2vec2 large");
    await assertRejects(() => run({ resume: found, checkpoint }), TypeError, "it is missing");
    assertEquals(
      (await run({ lr: 1e-12, patience: 3, freezeFeatureEncoder: true, resume: found })).steps,
      steps,
    );
    assertEquals(found!.tensors.size, 0);
  }));
