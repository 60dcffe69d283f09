import { assertEquals } from "@std/assert";
import { pruneCommand } from "../../cli/prune.ts";
import { readRecipe } from "../../cli/run_settings.ts";

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
