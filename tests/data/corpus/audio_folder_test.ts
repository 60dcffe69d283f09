import { assertEquals } from "@std/assert";
import { checkCorpus } from "../../../data/corpus/check.ts";
import { listSubsets, openCorpus } from "../../../data/corpus/corpus.ts";
import { tone, withFolder } from "../folder.ts";
import { openAll, tokenizer } from "./read.ts";

const sound = tone(0.1);

Deno.test("audiofolder is read: a table for each split, CSV or JSON lines", () =>
  withFolder({
    "data/train/metadata.csv":
      'file_name,transcription,speaker_id,intent\n"a.wav","He said ""no"", twice",7,deny\n' +
      'b.wav,"two\nlines",8,allow\n',
    "data/validation/metadata.jsonl":
      '{"file_name": "deep/c.wav", "text": "three", "speaker_id": 9, "label": 0}\n',
    "data/train/a.wav": sound,
    "data/train/b.wav": sound,
    "data/validation/deep/c.wav": sound,
  }, async (dir) => {
    assertEquals(await listSubsets(dir, { task: "asr" }), ["train", "dev"]);
    const train = [
      {
        id: "a.wav",
        audio: `${dir}/data/train/a.wav`,
        text: `He said "no", twice`,
        intent: "deny",
        speaker: "7",
      },
      { id: "b.wav", audio: `${dir}/data/train/b.wav`, text: "two\nlines", intent: "allow", speaker: "8" },
    ];
    for (const task of ["asr", "slu"] as const) assertEquals(await openCorpus(dir, "train", { task }), train);
    assertEquals(await openCorpus(`${dir}/data/train/metadata.csv`, "any", { task: "asr" }), train);
    const audio = `${dir}/data/validation/deep/c.wav`;
    const dev = [{ id: "deep/c.wav", audio, text: "three", intent: "0", speaker: "9" }];
    for (const name of ["dev", "validation"]) assertEquals(await openCorpus(dir, name, { task: "slu" }), dev);
    assertEquals((await checkCorpus(dir, { threads: 1, tokenizer })).problems, []);
  }));

Deno.test("audiofolder is read: one table for all splits", () =>
  withFolder({
    "metadata.csv": "file_name,label\r\ntrain/a.wav,up\r\ntest/b.wav,down\r\ntrain/c.wav,up",
    "train/a.wav": sound,
    "train/c.wav": sound,
    "test/b.wav": sound,
  }, async (dir) => {
    const ids = async (subset: string) =>
      (await openCorpus(dir, subset, { task: "slu" })).map(({ id, intent }) => [id, intent]);
    assertEquals(await ids("train"), [["train/a.wav", "up"], ["train/c.wav", "up"]]);
    assertEquals(await ids("test"), [["test/b.wav", "down"]]);
    const { task, subsets } = await checkCorpus(dir, { threads: 1 });
    assertEquals([task, subsets.map(({ clips }) => clips)], ["slu", [1, 2]]);
    const { errors } = await openAll(dir, "train");
    assertEquals(errors, [
      "Cannot read DIR/metadata.csv as one of its columns must be transcription, text, sentence, transcript, " +
      "normalized_text: they are file_name, label",
    ]);
  }));

Deno.test("odd and malformed rows of audiofolder are named", () =>
  withFolder({
    "metadata.csv":
      'file_name,text\na.wav,one\nx.wav,two\na.wav,one\nb.wav,\n,five\nc.wav,"six\n\nseven",8\n' +
      'a.wav,"never closed\n',
    "b.wav": sound,
    "a.wav": sound,
  }, async (dir) => {
    const { utterances, notes, errors } = await openAll(dir, "train");
    assertEquals(utterances, [{ id: "a.wav", audio: `${dir}/a.wav`, text: "one" }]);
    assertEquals(notes, [
      "utterances without audio, skipped: 1 (x.wav in DIR/metadata.csv:3)",
      "recordings that are listed twice with the same label, used once: 1 (a.wav in DIR/metadata.csv:4)",
      "utterances without a transcript, skipped: 1 (b.wav in DIR/metadata.csv:5)",
    ]);
    assertEquals(errors, [
      "Cannot read DIR/metadata.csv:6 as file_name must name a file: it is missing",
      "Cannot read DIR/metadata.csv:7 as a row must have 2 fields, as the header has: it has 3",
      "Cannot read DIR/metadata.csv:10 as a quoted field must end within 1048576 characters: it does not",
    ]);
    await Deno.remove(`${dir}/metadata.csv`);
    await Deno.writeTextFile(
      `${dir}/metadata.jsonl`,
      '{"file_name": "a.wav", "text": "x"}\n{"file_name": 3}\n{\n',
    );
    assertEquals((await openAll(dir, "train")).errors.map((error) => error.slice(0, 60)), [
      "Cannot read DIR/metadata.jsonl:2 as file_name must be text: ",
      "Cannot read DIR/metadata.jsonl:3 as it must be JSON: Expecte",
    ]);
  }));
