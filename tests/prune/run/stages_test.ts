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
    const first = await Journal.begin(path, { steps: 4 }, { test: "2 utterances, x" });
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
    const begun = '"settings": {}, "fingerprints": { "test": "none" }';
    const older =
      "as its format must have version 3: it has version 1, written by an older version of espalier";
    for (
      const [content, message] of [
        ['{ "settings": { "tune-steps": 3 }, "phases": [] }', older],
        ['{ "version": 1, "settings": {}, "stages": [] }', older],
        ['{ "version": 2, "settings": {}, "stages": [] }', older.replace("version 1", "version 2")],
        ['{ "version": 4, "settings": {}, "stages": [] }', "it has version 4, written by another version"],
        ["{", "must be the journal of a run"],
        ["[]", "it must be an object"],
        ['{ "version": 3, "stages": [] }', "it must have the settings of the run"],
        ['{ "version": 3, "settings": {}, "stages": [] }', "it must have the fingerprints of the run"],
        [`{ "version": 3, ${begun}, "stages": {} }`, "it must have a list of stages"],
        [`{ "version": 3, ${begun}, "stages": [{ "name": 3 }] }`, "it must have a list of stages"],
        [`{ "version": 3, ${begun}, "stages": [] }`, "its checksum differs, so it was changed"],
      ] as const
    ) {
      await Deno.writeTextFile(path, content);
      const error = await assertRejects(() => Journal.open(path), SyntaxError, message);
      assertEquals(error.message.startsWith(`Cannot resume from ${path} as `), true, error.message);
      assertEquals(error.message.includes("\n"), false);
    }
  }));

Deno.test("a journal that was changed in any place is refused in one line", () =>
  inFolder(async (path) => {
    const journal = await Journal.begin(path, { steps: 4 }, { test: "2 utterances, x" });
    await journal.runStage("prune", () => Promise.resolve({ units: [1, 2] }));
    const text = await Deno.readTextFile(path);
    for (
      const [from, to] of [['"steps": 4', '"steps": 5'], ['"units": [', '"units": [3, '], [
        "utterances",
        "words",
      ]]
    ) {
      await Deno.writeTextFile(path, text.replace(from!, to!));
      await assertRejects(() => Journal.open(path), SyntaxError, "its checksum differs, so it was changed");
    }
  }));

Deno.test("stages that depend on a changed input are run again, others are not", () =>
  inFolder(async (path) => {
    const first = await Journal.begin(path, {}, { test: "a" });
    for (const name of ["evaluate dense", "prune"]) await first.runStage(name, () => Promise.resolve(name));
    await first.redo(["evaluate dense", "evaluate pruned"], { test: "b" });
    const resumed = (await Journal.open(path))!;
    assertEquals(resumed.fingerprints, { test: "b" });
    assertEquals(resumed.stages.map(({ name }) => name), ["prune"]);
    assertEquals(await resumed.runStage("evaluate dense", () => Promise.resolve("again")), "again");
  }));
