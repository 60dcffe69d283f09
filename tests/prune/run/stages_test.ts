import { assertEquals, assertRejects } from "@std/assert";
import { Journal } from "../../../prune/run/stages.ts";

async function inFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/journal.json`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a stage that is done is not run again, one that was interrupted is", () =>
  inFolder(async (path) => {
    assertEquals(await Journal.open(path), null);
    const first = await Journal.begin(path, { steps: 4 });
    assertEquals(await first.runStage("evaluate", () => Promise.resolve({ wer: 0.25 })), { wer: 0.25 });
    assertEquals(await first.runStage("prune", () => Promise.resolve(null)), null);
    const resumed = (await Journal.open(path))!;
    assertEquals(resumed.settings, { steps: 4 });
    assertEquals(resumed.stages.map(({ name }) => name), ["evaluate"]);
    const again = () => Promise.reject(new Error("it is run again"));
    assertEquals(await resumed.runStage("evaluate", again), { wer: 0.25 });
    await assertRejects(() => resumed.runStage("prune", again), Error, "it is run again");
  }));

Deno.test("a journal of another version, or of another kind, is refused in one line", () =>
  inFolder(async (path) => {
    const older =
      "as its format must have version 2: it has version 1, written by an older version of espalier";
    for (
      const [content, message] of [
        ['{ "settings": { "tune-steps": 3 }, "phases": [] }', older],
        ['{ "version": 1, "settings": {}, "stages": [] }', older],
        ['{ "version": 3, "settings": {}, "stages": [] }', "it has version 3, written by another version"],
        ["{", "must be the journal of a run"],
        ["[]", "it must be an object"],
        ['{ "version": 2, "stages": [] }', "it must have the settings of the run"],
        ['{ "version": 2, "settings": {}, "stages": {} }', "it must have a list of stages"],
        ['{ "version": 2, "settings": {}, "stages": [{ "name": 3 }] }', "it must have a list of stages"],
      ] as const
    ) {
      await Deno.writeTextFile(path, content);
      const error = await assertRejects(() => Journal.open(path), SyntaxError, message);
      assertEquals(error.message.startsWith(`Cannot resume from ${path} as `), true, error.message);
      assertEquals(error.message.includes("\n"), false);
    }
  }));
