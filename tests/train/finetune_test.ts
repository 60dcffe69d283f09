// The library trains and evaluates as the command line does, with the same defaults and bounds.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Option, optionName } from "../../cli/options.ts";
import { pruneOptions } from "../../cli/prune_options.ts";
import { trainOptions } from "../../cli/train_options.ts";
import { loadCorpus } from "../../data/corpus/load_corpus.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import { PRUNE_DEFAULTS } from "../../prune/run/settings.ts";
import { BOUNDS } from "../../train/check_settings.ts";
import { evaluate } from "../../train/evaluate_model.ts";
import { finetune } from "../../train/finetune.ts";
import { TRAIN_DEFAULTS } from "../../train/settings.ts";
import { testGpu } from "../gpu.ts";
import { run, withCorpus } from "./tone_corpus.ts";

Deno.test("finetune gives the bits of the command line, and evaluate its scores", () =>
  withCorpus(async (dir) => {
    const gpu = await testGpu();
    const recipe = ["train", "--recipe", `${dir}/recipe.json`, "--lr", "0.003", "--steps", "2"];
    assertEquals((await run(...recipe, "--out", `${dir}/start`)).status, 0);
    const settings = { steps: 6, batchSeconds: 1.5, lr: 1e-3, saveEvery: 2, evalEvery: 2, seed: 3 };
    const words = Object.entries(settings).flatMap(([name, value]) => [optionName(name), String(value)]);
    const command = ["train", "--model", `${dir}/start`, "--data", `${dir}/corpus`, ...words];
    assertEquals((await run(...command, "--out", `${dir}/command`)).status, 0);
    const expected = await Deno.readFile(`${dir}/command/model.safetensors`);

    using start = await loadModel(`${dir}/start`, { gpu });
    const train = `${dir}/corpus`;
    using tuned = (await finetune(start, { train, ...settings })).model;
    assertEquals((await tuned.toFiles()).files["model.safetensors"], expected);

    const out = `${dir}/out`;
    const controller = new AbortController();
    const stopped = finetune(start, {
      train,
      ...settings,
      out,
      signal: controller.signal,
      onProgress: ({ step }) => step === 3 && controller.abort(),
    });
    await assertRejects(() => stopped, DOMException, "aborted");
    await assertRejects(() => finetune(start, { train, ...settings, out }), Error, "must be empty");
    const { model, best, steps } = await finetune(start, { train, ...settings, out, resume: true });
    model.dispose();
    assertEquals([await Deno.readFile(`${out}/model.safetensors`), steps], [expected, 6]);

    const dev = await loadCorpus(train, { subset: "dev" });
    const { wer, utterances } = await evaluate(tuned, dev);
    assertEquals([wer!.value, utterances], [best!.wer, dev.length]);
    await assertRejects(() => evaluate(tuned, [{ audio: new Float32Array(800) }]), TypeError, "have a text");
    await assertRejects(
      () => finetune(start, { train, lr: -1 }),
      RangeError,
      "as lr must be a number from 0",
    );
  }));

Deno.test("options have the same bounds and defaults in the library and on the command line", () => {
  const commands = [
    [trainOptions, TRAIN_DEFAULTS],
    [pruneOptions, PRUNE_DEFAULTS],
  ] as const;
  for (const [options, defaults] of commands) {
    const declared = options as Readonly<Record<string, Option>>;
    for (const [name, bounds] of Object.entries(BOUNDS)) {
      const option = declared[optionName(name).slice(2)];
      if (!option) continue;
      assert(option.type === "number" || option.type === "integer", name);
      const { least = 0, most, whole = false } = bounds;
      assertEquals([option.min, option.max, option.type], [least, most, whole ? "integer" : "number"], name);
    }
    for (const [name, value] of Object.entries(defaults)) {
      const option = declared[name === "kinds" ? "prune" : optionName(name).slice(2)]!;
      if (option.type === "flag") assertEquals(option.default ?? false, value, name);
      else if (typeof value === "function") assert(option.computed?.of, name);
      else if (name === "kinds") assertEquals(option.default, String(value));
      else if (option.default !== undefined) {
        assertEquals(option.default, value as typeof option.default, name);
      }
    }
  }
});
