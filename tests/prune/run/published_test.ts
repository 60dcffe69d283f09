// Models of DPHuBERT and DiariZen are fine-tuned and pruned further from the command line, and written in Hugging Face's layout.
import { assert, assertEquals } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { costsOf } from "../../../model/costs.ts";
import { put } from "../../data/folder.ts";
import { path } from "../../model/checkpoint/checkpoint_files.ts";
import { run, withCorpus } from "../../train/tone_corpus.ts";

const STEPS = ["--steps", "4", "--batch-seconds", "1.5", "--lr", "1e-3"];
const letters = ["<pad>", ..."ABCDEF"];
const vocabulary = JSON.stringify(Object.fromEntries(letters.map((letter, id) => [letter, id])));

Deno.test("a file of DPHuBERT is pruned further, with its scale and without its absent sub-layers", () =>
  withCorpus(async (dir) => {
    await put(dir, {
      "model/dphubert.pth": await Deno.readFile(path("torch/dphubert.pth")),
      "model/vocab.json": vocabulary,
    });
    const model = `${dir}/model/dphubert.pth`;
    const words = ["--model", model, "--data", `${dir}/corpus`, "--finetune-steps", "3", "--seconds", "1"];
    words.push("--mask-prob", "0.3"); // the file has no mask embedding
    const { status, err } = await run("prune", ...words, ...STEPS, "--target", "0.3", "--out", `${dir}/out`);
    assertEquals(status, 0, err);
    const [before, after] = [await readCheckpoint(model), await readCheckpoint(`${dir}/out`)];
    assertEquals([after.head, after.notes], ["ctc", []]);
    assert(after.tensors.has("masked_spec_embed"));
    assertEquals(after.config.use_attention, before.config.use_attention);
    assertEquals(after.config.use_feed_forward, before.config.use_feed_forward);
    assertEquals(after.tensors.get("feature_extractor.dummy_weight")!.shape, [after.config.conv_dim.at(-1)!]);
    const [dense, compact] = [before, after].map(({ config }) => costsOf(config, 16_000).macs);
    assert(compact! < 0.75 * dense!, `${compact} of ${dense} MACs`);
    for (const command of [["inspect"], ["eval", "--data", `${dir}/corpus`, "--subset", "dev", "--model"]]) {
      const { status, err } = await run(...command, `${dir}/out`);
      assertEquals(status, 0, err);
    }
    const onnx = await run("export", `${dir}/out`, "--to", "onnx", "--out", `${dir}/onnx`);
    assertEquals(onnx.status, 0, onnx.err);
  }));

Deno.test("a folder with a file of DiariZen is fine-tuned and pruned", () =>
  withCorpus(async (dir) => {
    await put(dir, { "model/pytorch_model.bin": await Deno.readFile(path("torch/diarizen.bin")) });
    const data = ["--data", `${dir}/corpus`];
    const trained = await run(
      "train",
      "--model",
      `${dir}/model`,
      ...data,
      ...STEPS,
      "--out",
      `${dir}/trained`,
    );
    assertEquals(trained.status, 0, trained.err);
    const settings = JSON.parse(await Deno.readTextFile(`${dir}/trained/preprocessor_config.json`));
    assertEquals([settings.do_normalize, settings.return_attention_mask], [true, true]);
    const words = ["--model", `${dir}/trained`, ...data, "--finetune-steps", "3", "--seconds", "1"];
    const { status, err } = await run("prune", ...words, ...STEPS, "--target", "0.3", "--out", `${dir}/out`);
    assertEquals(status, 0, err);
    const { config } = await readCheckpoint(`${dir}/out`);
    assertEquals(config.use_attention, [true, true, false, true]);
    config.remaining_heads!.forEach((kept, layer) => {
      assert(kept.every((head) => [[0, 2], [1], [], [0, 1, 2]][layer]!.includes(head)));
    });
  }));
