import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { checkCorpus } from "../../../data/corpus/check.ts";
import { tokenizerOf } from "../../../data/corpus/vocabulary.ts";
import { tone, withFolder } from "../folder.ts";

const sound = {
  "train-clean/1/1/1-1.trans.txt": "1-1-0000 AB C\n1-1-0001 C\n",
  "train-clean/1/1/1-1-0000.wav": tone(0.5),
  "train-clean/1/1/1-1-0001.wav": tone(0.25, 8000),
  "dev-clean/2/1/2-1.trans.txt": "2-1-0000 CAB\n",
  "dev-clean/2/1/2-1-0000.wav": tone(1),
};

Deno.test("a valid corpus is counted", () =>
  withFolder(sound, async (dir) => {
    const { subsets, problems, notes, task } = await checkCorpus(dir, { threads: 1 });
    assertEquals([task, problems], ["asr", []]);
    assertEquals(notes, ["train-clean: 1 utterances of 8000 Hz are resampled to 16000 Hz"]);
    assertEquals(subsets[1], {
      name: "train-clean",
      clips: 2,
      speakers: 1,
      seconds: { all: 0.75, least: 0.25, median: 0.5, most: 0.5 },
      sampleRates: { "8000": 1, "16000": 1 },
      words: { all: 3, different: 2 },
    });
  }));

Deno.test("all that is wrong with a corpus is listed, not only the first", () =>
  withFolder({
    ...sound,
    "train-clean/1/1/1-1-0001.wav": new Uint8Array(10),
    "train-clean/1/2/1-2.trans.txt": "1-2-0000 LOST\n1-2-0001 ?!\n1-2-0002\n",
    "train-clean/1/2/1-2-0001.wav": tone(0.2),
    "train-clean/1/2/1-2-0003.wav": tone(0.2),
    "dev-clean/2/1/2-1.trans.txt": "2-1-0000 CABX\n2-1-0001 A\n",
    "dev-clean/2/1/2-1-0001.wav": new Uint8Array(tone(0.2).length).fill(0).map((_, i) =>
      i < 44 ? tone(0.2)[i]! : 0
    ),
  }, async (dir) => {
    const { problems } = await checkCorpus(dir, { threads: 2, strict: true });
    const expected = [
      "1-2.trans.txt:1 as every transcript needs its audio",
      "1-2.trans.txt:3 as every transcript needs its audio",
      "1-2-0003.wav as every audio file needs a line",
      "2-1-0001.wav as it must have sound: it is silent",
      "1-1-0001.wav as audio",
      "2-1-0000 of dev-clean as its characters must be in the vocabulary: X not",
      "1-2-0001 of train-clean as its transcript must have letters: ?!",
    ];
    assertEquals(problems.length, expected.length, problems.join("\n"));
    expected.forEach((part, i) => assertStringIncludes(problems[i]!, part));
    const lenient = await checkCorpus(dir, { threads: 1 });
    assertEquals(lenient.problems, problems.slice(3));
    const chapter = `${dir}/train-clean/1/2`;
    assertEquals(lenient.notes, [
      `utterances without audio, skipped: 2 (1-2-0000 in ${chapter}/1-2.trans.txt:1, ` +
      `1-2-0002 in ${chapter}/1-2.trans.txt:3)`,
      `utterances without a transcript, skipped: 1 (${chapter}/1-2-0003.wav)`,
    ]);
    const { problems: others } = await checkCorpus(dir, { tokenizer: tokenizerOf(["A"]), threads: 1 });
    assertStringIncludes(
      others.join("\n"),
      "1-1-0000 of train-clean as its characters must be in the vocabulary: B",
    );
  }));

Deno.test("classes are counted, and odd ones noted", () =>
  withFolder({
    "train.jsonl": Array.from({ length: 12 }, (_, i) =>
      `{"audio": "${i ? "a" : "b"}.wav", "id": "${i}", ` +
      `"intent": "${i ? "on" : "off"}"}\n`).join(""),
    "test.jsonl": '{"audio": "a.wav", "intent": "dim"}\n',
    "a.wav": tone(0.1),
    "b.wav": tone(0.1),
  }, async (dir) => {
    const { task, subsets, notes, problems } = await checkCorpus(dir, { threads: 1 });
    assertEquals([task, problems], ["slu", []]);
    assertEquals(subsets.map(({ classes }) => classes), [{ dim: 1 }, { off: 1, on: 11 }]);
    assertEquals(notes, [
      "test: no training utterance has the class dim",
      "train: the largest class has 11 utterances, the smallest 1",
    ]);
  }));

Deno.test("a folder without a corpus is refused", () =>
  withFolder({ "a.txt": "" }, async (dir) => {
    await assertRejects(() => checkCorpus(dir), RangeError, `Cannot open ${dir} as it must hold a corpus`);
    await assertRejects(
      () => checkCorpus(`${dir}/x`, { task: "slu" }),
      RangeError,
      "there is no such folder",
    );
  }));

Deno.test("a file that is no manifest is refused with one line", () =>
  withFolder({ "notes.md": "# Notes\n\nOne.\nTwo.\n", "one.jsonl": "{\n" }, async (dir) => {
    const why = "as it must be JSON: ";
    for (const task of ["asr", "slu", undefined] as const) {
      const options = task ? { task } : {};
      const error = await assertRejects(() => checkCorpus(`${dir}/notes.md`, options), RangeError, why);
      assert(error.message.startsWith(`Cannot read ${dir}/notes.md:1 `), error.message);
      assert(/ \(and \d more errors\)$/.test(error.message), error.message);
    }
    const error = await assertRejects(() => checkCorpus(`${dir}/one.jsonl`), RangeError, why);
    assert(!error.message.includes("more errors"));
  }));
