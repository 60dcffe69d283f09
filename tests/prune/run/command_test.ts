import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { unitCounts } from "../../../model/costs.ts";
import { parseSafetensors } from "../../../model/checkpoint/safetensors.ts";
import { UnitCost } from "../../../prune/cost.ts";
import { unitGroups } from "../../../prune/groups.ts";
import type { PruneReport } from "../../../prune/report/report.ts";
import { loadRunState } from "../../../train/run_state.ts";
import { regularizationOf } from "../../train/tiny.ts";
import { put } from "../../data/folder.ts";
import { variants } from "../../full.ts";
import { killedAt, type Moment } from "../../kill_at.ts";
import { assertMistake, run } from "../../train/tone_corpus.ts";
import { outcome, SMALL, withModel } from "./pruned_tones.ts";

for (const task of ["asr", "slu"] as const) {
  const half = task === "slu" ? ["--half"] : [];
  Deno.test(`prune ends with a compact model for ${task} that eval and inspect agree with`, () =>
    withModel(task, async (dir, prune) => {
      const out = `${dir}/out`;
      const regular = ["--dropout", "0.2", "--mask-prob", "0.1"];
      const words = ["--out", out, "--target", "0.4", "--json", ...regular, ...half];
      const { status, out: printed, err } = await prune(...words);
      assertEquals(status, 0, err);
      // The best of pruning is not kept: it is the largest.
      const [pruning, finetuning] = err.split("fine-tuning the compact model");
      assert(/ kept [\d.]+ % \(target [\d.]+ %\)/.test(pruning!) && !pruning!.includes("(best)"), err);
      assertStringIncludes(finetuning!, "(best)");
      const report = JSON.parse(printed) as PruneReport;
      assertEquals(report, JSON.parse(await Deno.readTextFile(`${out}/report.json`)));
      const [dense, pruned, tuned] = report.models;
      assertEquals([dense!.name, pruned!.name, tuned!.name], ["dense", "pruned", "fine-tuned"]);

      const weights = parseSafetensors(await Deno.readFile(`${out}/model.safetensors`)).tensors;
      assertEquals(
        new Set([...weights.values()].map(({ dtype }) => dtype)),
        new Set([half[0] ? "F16" : "F32"]),
      );
      const { config } = await readCheckpoint(out);
      const base = (await readCheckpoint(`${dir}/model`)).config;
      assertEquals(regularizationOf(config), regularizationOf(base));
      const cost = new UnitCost(base, "macs", 16_000);
      const cheapest = Math.min(...cost.slopes(unitGroups(config), unitCounts(config)));
      const left = cost.of(unitCounts(config));
      assert(Math.abs(left - 0.6 * cost.dense) <= cheapest, `${left} of ${cost.dense}`);
      assertEquals(report.constraints[0]!.cost, left);
      assertEquals(tuned!.macs_per_second, left);

      const evaluated = await run(
        "eval",
        "--model",
        out,
        "--data",
        `${dir}/corpus`,
        "--subset",
        "dev",
        "--json",
      );
      const found = JSON.parse(evaluated.out);
      assertEquals([found.wer, found.cer, found.accuracy], [tuned!.wer, tuned!.cer, tuned!.accuracy]);
      const inspected = await run("inspect", out, "--seconds", "1");
      assertStringIncludes(inspected.out, "pruned by mac: target 40.0 % of MACs removed, achieved ");
      for (const name of ["report.html", "run/compact/model.safetensors", "plots"]) {
        await Deno.stat(`${out}/${name}`);
      }

      assertMistake(await prune("--out", out), `Output folder is not empty: ${out}`);
    }));
}

Deno.test("a run of prune that is killed at any moment and resumed ends as one that is not", () =>
  withModel("asr", async (dir, prune) => {
    const words = ["--seed", "3", "--save-every", "2", "--steps", "30", "--finetune-steps", "20"];
    const whole = await prune(...words, "--out", `${dir}/whole`);
    assertEquals(whole.status, 0, whole.err);
    const expected = await outcome(`${dir}/whole`);
    const cli = decodeURIComponent(new URL("../../../cli.ts", import.meta.url).pathname);
    const out = `${dir}/out`;
    const session = (words: readonly string[], moment?: Moment) => {
      const { args, env } = moment ? killedAt(moment) : { args: [], env: {} };
      return new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", ...args, cli, "prune", "--out", out, ...words],
        env,
        stdout: "null",
        stderr: "null",
      }).spawn().status;
    };
    const reached = (phase: string, step: number) => ({ path: `${out}/run/${phase}/metrics.jsonl`, step });
    // A session until each of these.
    const [early, pruning, later, surgery, finetuning] = [
      { path: `${out}/run/journal.json` },
      reached("prune", 3),
      reached("prune", 19),
      { path: `${out}/run/compact/config.json` },
      reached("finetune", 9),
    ] as const;
    const moments = variants<Moment>([early, pruning, later, surgery, finetuning], pruning, finetuning);
    for (const [i, moment] of moments.entries()) {
      const first = ["--model", `${dir}/model`, "--data", `${dir}/corpus`, ...SMALL, ...words];
      const { signal } = await session(i === 0 ? first : ["--resume"], moment);
      assertEquals(signal, "SIGKILL", moment.path);
    }
    assertEquals((await session(["--resume"])).code, 0);
    assertEquals(await outcome(out), expected);
  }));

Deno.test("every method meets its target, and a compact model can be pruned again", () =>
  withModel("asr", async (dir, prune) => {
    const sepSize = ["sep-size", "--target-conv", "0.2", "--target-transformer", "0.4"];
    for (
      const [method, ...targets] of variants(
        [
          ["size", "--target", "0.3"],
          sepSize,
          ["transformer-only", "--target", "0.15"],
          ["uniform", "--target", "0.3", "--round-to", "2"],
        ],
        sepSize,
      )
    ) {
      const out = `${dir}/${method}`;
      const { status, out: printed, err } = await prune(
        "--method",
        method!,
        ...targets,
        "--out",
        out,
        "--json",
      );
      assertEquals(status, 0, err);
      const { constraints, units } = JSON.parse(printed) as PruneReport;
      for (const { removed, target_removed } of constraints) {
        assertAlmostEquals(removed, target_removed, 0.06, `${method}: units of a small model are large`);
      }
      const whole = Object.entries(units).filter(([name]) => name.startsWith("conv."));
      if (method === "transformer-only") assert(whole.every(([, { of, kept }]) => of === kept.length));
    }
    const out = `${dir}/again`;
    const again = await run(
      ...["prune", "--model", `${dir}/sep-size`, "--data", `${dir}/corpus`, ...SMALL, "--target", "0.2"],
      ...["--out", out, "--finetune-steps", "0"],
    );
    assertEquals(again.status, 0, again.err);
    const record = JSON.parse(await Deno.readTextFile(`${out}/espalier.json`));
    assertEquals(record.earlier.map(({ method }: { method: string }) => method), ["sep-size"]);
  }));

const total = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0);

Deno.test("the control trains the model on and removes nothing", () =>
  withModel("asr", async (dir, prune) => {
    const out = `${dir}/none`;
    const { status, out: printed, err } = await prune("--method", "none", "--out", out, "--json");
    assertEquals(status, 0, err);
    const { constraints, models, units, data: { test } } = JSON.parse(printed) as PruneReport;
    assertEquals(constraints, []);
    assertEquals(models.map(({ name }) => name), ["dense", "trained", "fine-tuned"]);
    for (const { parameters, errors, wer } of models) {
      assertEquals(parameters, models[0]!.parameters);
      assertEquals(errors.length, test.lengths.length);
      assertEquals(total(errors) / total(test.lengths), wer!.value);
    }
    assert(Object.values(units).every(({ of, kept }) => of === kept.length));
    const [before, after] = await Promise.all([`${dir}/model`, out].map((path) => readCheckpoint(path)));
    assert(
      [...before!.tensors].some(([name, { data }]) =>
        data.some((x, i) => x !== after!.tensors.get(name)!.data[i])
      ),
    );
  }));

Deno.test("train and prune estimate memory, less with gradient checkpointing, and write nothing", () =>
  withModel("asr", async (dir, prune) => {
    const train = ["train", "--model", `${dir}/model`, "--data", `${dir}/corpus`, "--batch-seconds", "1.5"];
    for (const start of [prune, (...more: string[]) => run(...train, ...more)]) {
      const bytes = [];
      for (const more of [[], ["--grad-checkpoint"]]) {
        const { status, out, err } = await start("--out", `${dir}/out`, "--dry-run", ...more);
        assertEquals(status, 0, err);
        bytes.push(Number(/^estimated memory: ([\d.]+) GB on /.exec(out)![1]));
        const { out: json } = await start("--out", `${dir}/out`, "--dry-run", "--json", ...more);
        const { device_bytes, host_bytes } = JSON.parse(json);
        assertAlmostEquals(device_bytes / 1e9, bytes.at(-1)!, 0.006);
        assert(host_bytes > 0);
      }
      assert(bytes[0]! > 0 && bytes[1]! <= bytes[0]!, `${bytes}`);
    }
    assertEquals(await Deno.lstat(`${dir}/out`).catch(() => null), null);
  }));

Deno.test("mistakes with prune are one line each, and nothing is lost", () =>
  withModel("asr", async (dir, prune) => {
    const out = ["--out", `${dir}/a`];
    assertMistake(
      await prune(...out, "--target", "0.99"),
      "Cannot prune macs as conv, heads, ffn can remove",
    );
    assertMistake(
      await prune(...out, "--task", "slu"),
      "as it must have been fine-tuned for that: its head is ctc",
    );
    assertMistake(await prune(...out, "--prune", "heads,fnn"), "fnn");
    assertMistake(await prune(...out, "--warmup", "9"), "as --warmup must be at most the 6 steps: 9");
    assertMistake(
      await prune(...out, "--target-conv", "0.9"),
      "--target-conv requires --method sep-size: the method is mac",
    );
    const nothing = "Cannot prune as --target must be above 0: it is 0 (--method none trains the model";
    assertMistake(await prune(...out, "--target", "0"), nothing);
    assertMistake(await prune(...out, "--target", "0", "--method", "sep-size"), nothing);
    const single = await prune("--dry-run", "--data", `${dir}/corpus/dev.jsonl`);
    assertStringIncludes(single.err, "the test subset is part of the training subset");
    assertMistake(
      await run("prune", "--data", `${dir}/corpus`, ...out),
      "--data requires --model",
    );
    assertMistake(await run("prune", "--resume", "--out", `${dir}/none`), "No run to resume in ");
    assertMistake(await prune("--out", "/proc/nowhere"), "as the system refuses");
    await put(dir, { "corpus/fed.wav": "not audio" });
    assertMistake(await prune("--out", `${dir}/b`), `${dir}/corpus/fed.wav`);
    assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => name.length === 1), []);
  }));

Deno.test("a loss that is not finite ends pruning with the state of the last good step", () =>
  withModel("asr", async (dir, prune) => {
    const out = `${dir}/nan`;
    const failed = await prune("--out", out, "--lr", "1e18", "--max-grad-norm", "1e30", "--save-every", "1");
    assertMistake(failed, "Cannot continue training as loss and gradient must be finite: step ");
    const { tensors } = (await loadRunState(`${out}/run/prune/state`))!;
    assert([...tensors.values()].every(({ data }) => data.every(Number.isFinite)));
  }));
