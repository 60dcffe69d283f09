import { assertEquals, assertRejects } from "@std/assert";
import { checkCorpus } from "../../../data/corpus/check.ts";
import { listSubsets, openCorpus } from "../../../data/corpus/corpus.ts";
import { withSeconds } from "../../../data/corpus/durations.ts";
import { UtteranceReader } from "../../../data/corpus/utterance_reader.ts";
import { withFolder } from "../folder.ts";
import { openAll, tokenizer } from "./read.ts";

const dataset = new URL("../../testdata/parquet/dataset", import.meta.url).pathname;
const shard = (i: number) => `${dataset}/data/train-0000${i}-of-00002.parquet`;

Deno.test("a data set of Hugging Face in Parquet files is read: shards, classes by name, speakers", async () => {
  assertEquals(await listSubsets(dataset, { task: "asr" }), ["train", "dev"]);
  const { utterances, notes, errors } = await openAll(dataset, "train");
  const row = (i: number, row: number, text: string, speaker: string, intent?: string) => ({
    id: `train-0000${i}-of-00002:${row}`,
    audio: shard(i),
    row,
    text,
    ...intent && { intent },
    speaker,
  });
  assertEquals(utterances, [
    row(0, 0, "turn it off", "7", "deny"),
    row(0, 1, "Turn it on", "7", "allow"),
    row(1, 0, "never", "9", "deny"),
    row(1, 2, "yes", "9"),
  ]);
  assertEquals(errors, []);
  assertEquals(notes, [
    "utterances without a transcript, skipped: 1 (train-00000-of-00002:2 in DIR/data/train-00000-of-00002.parquet:2)",
    "utterances without audio, skipped: 1 (train-00001-of-00002:1 in DIR/data/train-00001-of-00002.parquet:1)",
  ]);
  const timed = await withSeconds(utterances);
  assertEquals(timed.map(({ seconds }) => seconds), [0.1, 0.2, 0.1, 0.1]);
  using reader = new UtteranceReader();
  const { samples, sampleRate } = await reader.read(utterances[1]!);
  assertEquals([samples.length, sampleRate], [1600, 8000]);
  assertEquals(samples[10], Math.fround(Math.round(8000 * Math.sin(10 / 7)) / 32768));
  assertEquals((await openCorpus(dataset, "train", { task: "asr", limit: 1 })).length, 1);
  for (const name of ["dev", "validation"]) {
    assertEquals((await openCorpus(dataset, name, { task: "slu" })).map(({ intent }) => intent), ["allow"]);
  }
  const slu = await openAll(dataset, "train", { task: "slu" });
  assertEquals(slu.errors, [
    "Cannot read DIR/data/train-00001-of-00002.parquet:2 as understanding needs a class: train-00001-of-00002:2 has none",
  ]);
  assertEquals(slu.utterances.length, 4);
});

Deno.test("data check decodes the audio of Parquet files", async () => {
  const { subsets, problems } = await checkCorpus(dataset, { threads: 2, tokenizer });
  assertEquals(problems, []);
  assertEquals(
    subsets.map(({ name, clips, speakers, sampleRates }) => [name, clips, speakers, sampleRates]),
    [
      ["train", 4, 2, { "8000": 4 }],
      ["dev", 1, 1, { "8000": 1 }],
    ],
  );
});

Deno.test("names of files and folders give configurations and splits", async () => {
  const file = Deno.readFileSync(shard(0));
  const namesIn = async (paths: readonly string[]) =>
    await withFolder(
      Object.fromEntries(paths.map((path) => [path, file])),
      (dir) => listSubsets(dir, { task: "asr" }),
    );
  const cases: [string[], string[]][] = [
    [["train.parquet", "test.parquet"], ["test", "train"]],
    [["data/train-00000-of-00001-9f3c.parquet", "data/valid.parquet"], ["train", "dev"]],
    [["en/train/0000.parquet", "en/train/0001.parquet", "en/validation/0000.parquet"], ["train", "dev"]],
    [["de/train-00000-of-00001.parquet", "en/train-00000-of-00001.parquet"], ["de/train", "en/train"]],
    [["train.clean.100/0000.parquet", "validation/0000.parquet"], ["train.clean.100", "dev"]],
  ];
  for (const [paths, names] of cases) assertEquals(await namesIn(paths), names);
});

Deno.test("a Parquet file without audio or the column of the task is refused by name", async () => {
  const columns = new URL("../../testdata/parquet/none.parquet", import.meta.url).pathname;
  await assertRejects(
    () => openCorpus(columns, "train", { task: "slu" }),
    SyntaxError,
    `Cannot read ${columns} as one of its columns must be intent, intent_class, label, class: they are audio, text,`,
  );
  // The audio of these rows is no audio file.
  const utterances = await openCorpus(columns, "train", { task: "asr" });
  assertEquals(utterances.length, 20);
  using reader = new UtteranceReader();
  await assertRejects(
    () => reader.read(utterances[0]!),
    SyntaxError,
    `Cannot read row 0 of ${columns} as audio as its format`,
  );
});
