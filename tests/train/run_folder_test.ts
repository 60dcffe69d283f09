import { assertEquals, assertRejects } from "@std/assert";
import { claimRunFolder, isFreeForRun } from "../../train/run_folder.ts";
import { put, withFolder } from "../data/folder.ts";
import { assertMistake, run, withCorpus } from "./tone_corpus.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const EARLY = { folder: "state", files: ["config.json", "metrics.jsonl"] };

Deno.test("a folder belongs to one run, and unfinished files of a killed one are removed", () =>
  withFolder(
    { "out/run/journal.json.17.partial": "{", "out/state/step-00000003.17.partial/run.json": "" },
    async (dir) => {
      {
        using _claim = await claimRunFolder(`${dir}/out`);
        assertEquals(names(`${dir}/out`), ["espalier.lock", "run", "state"]);
        assertEquals([names(`${dir}/out/run`), names(`${dir}/out/state`)], [[], []]);
        const taken =
          `Cannot write to ${dir}/out as one process at a time may: it is used by process ${Deno.pid}, `;
        await assertRejects(() => claimRunFolder(`${dir}/out`), Error, taken);
        for (
          const [command, ...words] of [["train", "--config", "x"], ["train", "--resume"], [
            "prune",
            "--resume",
          ], ["prune"]]
        ) {
          assertMistake(await run(command!, ...words, "--out", `${dir}/out`), taken);
        }
      }
      assertEquals(names(`${dir}/out`), ["run", "state"]);
      (await claimRunFolder(`${dir}/new`))[Symbol.dispose]();
      assertEquals(names(dir), ["out"]);
    },
  ));

Deno.test("a folder is free for a run if it has nothing but what one leaves that is killed early", () =>
  withFolder({ "a/file": "" }, async (dir) => {
    const free = async (files: Record<string, string>, folders: readonly string[] = []) => {
      const out = await Deno.makeTempDir({ dir });
      for (const folder of folders) await Deno.mkdir(`${out}/${folder}`);
      await put(out, files);
      const before = names(out);
      const result = await isFreeForRun(out, EARLY);
      assertEquals(names(out), result ? [] : before);
      return result;
    };
    assertEquals(await free({}), true);
    assertEquals(await free({}, ["state"]), true);
    assertEquals(await free({ "config.json": "{}", "metrics.jsonl": "" }, ["state"]), true);
    assertEquals(await free({ "config.json": "{}" }), false);
    assertEquals(await free({ "config.json": "{}", "model.safetensors": "" }, ["state"]), false);
    assertEquals(await free({ "state/step-00000000/run.json": "{}" }), false);
    assertEquals(await free({ "state": "" }), false);
  }));

Deno.test("a run that was killed before its first state is begun again by the same command", () =>
  withCorpus(async (dir) => {
    await put(dir, {
      "out/config.json": "{",
      "out/vocab.json": "[]",
      "out/metrics.jsonl": '{"step": 9}\n',
      "out/state/step-00000000.17.partial/state.safetensors.17.partial": "x",
    });
    const train = ["train", "--recipe", `${dir}/recipe.json`, "--dev-subset", "none", "--steps", "1"];
    assertMistake(await run("train", "--resume", "--out", `${dir}/out`), `No run to resume in ${dir}/out`);
    const begun = await run(...train, "--out", `${dir}/out`);
    assertEquals(begun.status, 0, begun.err);
    await put(dir, { "pruned/run/journal.json.17.partial": "{" });
    const prune = ["prune", "--model", `${dir}/out`, "--data", `${dir}/corpus`, "--out", `${dir}/pruned`];
    assertMistake(
      await run("prune", "--resume", "--out", `${dir}/pruned`),
      `No run to resume in ${dir}/pruned`,
    );
    const small = ["--steps", "2", "--finetune-steps", "0", "--seconds", "1", "--batch-seconds", "1.5"];
    const pruned = await run(...prune, "--resume", ...small);
    assertEquals(pruned.status, 0, pruned.err);
    assertEquals(pruned.err.includes("has no saved run: pruning starts anew"), true);
  }));
