// A model of each family, as transformers saves it, is fine-tuned, pruned, and used: from the command line, on tones.
import { assert, assertEquals } from "@std/assert";
import { readCheckpoint } from "../../../model/checkpoint/read.ts";
import { costsOf } from "../../../model/costs.ts";
import type { PruneReport } from "../../../prune/report/report.ts";
import { put } from "../../data/folder.ts";
import { variants } from "../../full.ts";
import { run, withCorpus } from "../../train/tone_corpus.ts";

const root = new URL("../../testdata/families/", import.meta.url).pathname;
const vocabulary = JSON.stringify(
  Object.fromEntries(["<pad>", ..."xyABCDEF"].map((token, id) => [token, id])),
);
const families = [...Deno.readDirSync(root)].map(({ name }) => name).toSorted();

for (const name of variants(families, "mms")) {
  Deno.test(`${name} is fine-tuned, pruned, evaluated, exported and read back`, () =>
    withCorpus(async (dir) => {
      const config = await Deno.readTextFile(`${root}${name}/config.json`);
      const weights = await Deno.readFile(`${root}${name}/model.safetensors`);
      await put(dir, { "model/config.json": config, "model/model.safetensors": weights });
      const { head } = await readCheckpoint(`${dir}/model`);
      if (head === "ctc") await put(dir, { "model/vocab.json": vocabulary });
      const done = async (...words: string[]) => {
        const { status, out, err } = await run(...words);
        assertEquals(status, 0, err);
        return out;
      };
      const settings = ["--data", `${dir}/corpus`, "--batch-seconds", "1.5", "--lr", "1e-3"];
      await done("train", "--model", `${dir}/model`, ...settings, "--steps", "3", "--out", `${dir}/trained`);
      const steps = ["--steps", "4", "--finetune-steps", "3", "--seconds", "1", "--target", "0.3", "--json"];
      const printed = await done(
        "prune",
        "-m",
        `${dir}/trained`,
        ...settings,
        ...steps,
        "--out",
        `${dir}/out`,
      );
      const report = JSON.parse(printed) as PruneReport;

      const [before, after] = [await readCheckpoint(`${dir}/trained`), await readCheckpoint(`${dir}/out`)];
      assertEquals([after.head, after.notes], [head, []]);
      assertEquals(after.config.model_type, before.config.model_type);
      const [dense, compact] = [before, after].map(({ config }) => costsOf(config, 16_000).macs);
      assert(compact! < 0.75 * dense!, `${compact} of ${dense} MACs`);
      const isKept = (key: string) => /pos_conv_embed|adapter_layer/.test(key);
      for (const [key, { shape }] of after.tensors) {
        if (isKept(key)) assertEquals(shape, before.tensors.get(key)!.shape, key);
      }
      const words = ["eval", "--model", `${dir}/out`, "--data", `${dir}/corpus`, "--subset", "dev", "--json"];
      const { wer, accuracy } = JSON.parse(await done(...words));
      assertEquals([wer, accuracy], [report.models[2]!.wer, report.models[2]!.accuracy]);
      await done("inspect", `${dir}/out`);
      await done("export", `${dir}/out`, "--to", "onnx", "--out", `${dir}/onnx`);
    }));
}
