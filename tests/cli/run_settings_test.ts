import { assertEquals } from "@std/assert";
import { parse } from "../../cli/command.ts";
import { pruneCommand } from "../../cli/prune.ts";
import { changedOptions, readRecipe, savedSettings } from "../../cli/run_settings.ts";
import { withDefaults } from "../../cli/options.ts";
import { pruneOptions } from "../../cli/prune_options.ts";

Deno.test("paths of a recipe are taken from its folder, names on the hub are left alone", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/recipes`);
  const modelOf = async (model: string) => {
    await Deno.writeTextFile(`${folder}/recipes/one.json`, JSON.stringify({ model, steps: 7 }));
    const { steps, model: read } = await readRecipe(`${folder}/recipes/one.json`, pruneCommand) as {
      steps: number;
      model: string;
    };
    assertEquals(steps, 7);
    return read;
  };
  assertEquals(await modelOf("../models/./dense"), `${folder}/models/dense`);
  assertEquals(await modelOf("./dense"), `${folder}/recipes/dense`);
  assertEquals(await modelOf("facebook/wav2vec2-base-100h"), "facebook/wav2vec2-base-100h");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("recipes and saved options may have earlier names; flags of a recipe can be turned off", async () => {
  const path = await Deno.makeTempFile();
  const { error } = console;
  const printed: string[] = [];
  console.error = (line: string) => printed.push(line);
  try {
    await Deno.writeTextFile(
      path,
      JSON.stringify({ "tune-lr": 0.002, accumulate: 2, half: true, noise: 0.1 }),
    );
    const recipe = await readRecipe(path, pruneCommand);
    assertEquals(recipe, { "finetune-lr": 0.002, "grad-accum-steps": 2, half: true, noise: 0.1 });
    assertEquals(printed, [
      `note: --tune-lr is now --finetune-lr (in ${path})`,
      `note: --accumulate is now --grad-accum-steps (in ${path})`,
    ]);
  } finally {
    console.error = error;
    await Deno.remove(path);
  }
  const request = parse(pruneCommand, ["--no-half"], "/");
  assertEquals(request.help ? null : request.given, { half: false });
  assertEquals(savedSettings({ "tune-steps": 7, seed: 1 }, pruneOptions), { "finetune-steps": 7, seed: 1 });
});

Deno.test("a resumed run may be given its own options again, defaults included", () => {
  const saved = { steps: 100, seed: 3 };
  assertEquals(changedOptions(pruneOptions, { steps: 100, target: 0.5, half: false, out: "x" }, saved), []);
  assertEquals(changedOptions(pruneOptions, { seed: 4, half: true }, saved), [
    { name: "seed", value: 4, before: 3 },
    { name: "half", value: true, before: "not given" },
  ]);
});

Deno.test("computed defaults follow the options that they depend on", () => {
  const {
    "finetune-steps": finetuneSteps,
    "finetune-lr": finetuneLr,
    "gate-lr": gateLr,
    "lambda-lr": lambdaLr,
    warmup,
  } = withDefaults(pruneOptions, { steps: 4000, lr: 0.003 });
  assertEquals([finetuneSteps, finetuneLr, gateLr, lambdaLr, warmup], [2000, 0.003, 0.025, 0.05, 3000]);
});
