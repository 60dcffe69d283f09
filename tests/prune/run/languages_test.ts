// A model of MMS is fine-tuned and pruned in one of its languages, and is then a model of that language alone.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { put } from "../../data/folder.ts";
import { multilingualFiles, TOKENS } from "../../model/checkpoint/multilingual.ts";
import { assertMistake, run, withCorpus } from "../../train/tone_corpus.ts";

Deno.test("prune, eval, transcribe and export take the language of a model", () =>
  withCorpus(async (dir) => {
    const files = Object.entries(multilingualFiles()).map(([name, bytes]) => [`model/${name}`, bytes]);
    await put(dir, Object.fromEntries(files));
    const model = ["--model", `${dir}/model`, "--lang", "fra"];
    const data = ["--data", `${dir}/corpus`];
    const settings = ["--steps", "2", "--finetune-steps", "2", "--batch-seconds", "1.5", "--seconds", "1"];
    const pruned = await run(
      "prune",
      ...model,
      ...data,
      ...settings,
      "--target",
      "0.3",
      "--out",
      `${dir}/out`,
    );
    assertEquals(pruned.status, 0, pruned.err);
    const vocabulary = Object.fromEntries(TOKENS.fra.map((token, id) => [token, id]));
    const isFrench = async (folder: string) =>
      assertEquals(JSON.parse(await Deno.readTextFile(`${folder}/vocab.json`)), vocabulary);
    await isFrench(`${dir}/out`);
    assertEquals((await readCheckpoint(`${dir}/out`)).config.vocab_size, 11);

    const settingsOf = await Deno.readTextFile(`${dir}/out/tokenizer_config.json`);
    assertEquals(JSON.parse(settingsOf), { do_lower_case: false });
    for (const which of [model, ["--model", `${dir}/out`]]) {
      const { status, err } = await run("eval", ...which, ...data, "--subset", "dev");
      assertEquals(status, 0, err);
    }
    const exported = await run(
      "export",
      `${dir}/model`,
      "--lang",
      "fra",
      "--to",
      "onnx",
      "--out",
      `${dir}/onnx`,
    );
    assertEquals(exported.status, 0, exported.err);
    await isFrench(`${dir}/onnx`);
    const spoken = await run("transcribe", ...model, "--json", `${dir}/corpus/abc.wav`);
    assertEquals(spoken.status, 0, spoken.err);
    const trained = await run(
      "train",
      ...model,
      ...data,
      "--steps",
      "1",
      "--batch-seconds",
      "1.5",
      "-o",
      `${dir}/t`,
    );
    assertEquals(trained.status, 0, trained.err);
    await isFrench(`${dir}/t`);
    assertMistake(await run("inspect", `${dir}/model`, "--lang", "deu"), "there are fra");
    const fixed = await run("train", "--resume", "-o", `${dir}/t`, "--lang", "eng");
    assertStringIncludes(fixed.err, "--lang must be as it was: fra");
  }));
