import { assertEquals, assertRejects } from "@std/assert";
import { checkCorpus } from "../../../data/corpus/check.ts";
import { listSubsets, openCorpus } from "../../../data/corpus/corpus.ts";
import { withSeconds } from "../../../data/corpus/durations.ts";
import { put, withFolder } from "../folder.ts";
import { openAll, tokenizer } from "./read.ts";

const mp3 = Deno.readFileSync(new URL("../../testdata/audio/tone_44k_stereo.mp3", import.meta.url));

// The columns of release 17; quotes have no meaning.
const HEADER =
  "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\tage\tgender\taccents\t" +
  "variant\tlocale\tsegment\n";
const row = (speaker: string, clip: string, sentence: string) =>
  `${speaker}\t${clip}\t9f1c\t${sentence}\t\t2\t0\t\t\t\t\ten\t\n`;

const corpus = {
  "en/train.tsv": HEADER + row("ada", "a.mp3", `He said "no`) + row("ada", "b.mp3", `"Yes," she said.`) +
    row("ben", "c", "Été"),
  "en/dev.tsv": HEADER + row("cy", "d.mp3", "Four"),
  "en/test.tsv": HEADER.replace("\n", "\r\n") + row("di", "d.mp3", "Five").replace("\n", "\r\n"),
  "en/clip_durations.tsv": "clip\tduration[ms]\na.mp3\t310\nb.mp3\t330\n",
  "en/reported.tsv": "sentence\tsentence_id\tlocale\treason\nBad\t9f1c\ten\tgrammar\n",
  "en/clips/a.mp3": mp3,
  "en/clips/b.mp3": mp3,
  "en/clips/c.mp3": mp3,
  "en/clips/d.mp3": mp3,
};

Deno.test("Common Voice is read: lists, speakers, durations, quotes as they are", () =>
  withFolder(corpus, async (dir) => {
    assertEquals(await listSubsets(dir, { task: "asr" }), ["dev", "test", "train"]);
    for (
      const [folder, subset] of [[dir, "train"], [`${dir}/en`, "train"], [`${dir}/en/train.tsv`, "test"]]
    ) {
      const audio = `${dir}/en/clips`;
      assertEquals(await openCorpus(folder!, subset!, { task: "asr" }), [
        { id: "a.mp3", audio: `${audio}/a.mp3`, text: `He said "no`, speaker: "ada", seconds: 0.31 },
        { id: "b.mp3", audio: `${audio}/b.mp3`, text: `"Yes," she said.`, speaker: "ada", seconds: 0.33 },
        { id: "c.mp3", audio: `${audio}/c.mp3`, text: "Été", speaker: "ben" },
      ]);
    }
    await put(dir, { "de/train.tsv": HEADER + row("eva", "e.mp3", "Acht"), "de/clips/e.mp3": mp3 });
    assertEquals(await listSubsets(dir, { task: "asr" }), ["de/train", "en/dev", "en/test", "en/train"]);
    assertEquals((await openCorpus(dir, "de/train", { task: "asr" }))[0]!.text, "Acht");
    await Deno.remove(`${dir}/de`, { recursive: true });
    const [test] = await openCorpus(dir, "test", { task: "asr" });
    assertEquals([test!.text, test!.speaker], ["Five", "di"]);
    assertEquals((await withSeconds([test!]))[0]!.seconds.toFixed(1), "0.3");
    assertEquals((await openCorpus(dir, "train", { task: "asr", limit: 2 })).length, 2);
    await assertRejects(() => openCorpus(dir, "train", { task: "slu" }), RangeError, "it holds none");
    const { subsets, problems, notes } = await checkCorpus(dir, { threads: 1, tokenizer });
    assertEquals(problems, []);
    assertEquals(subsets.map(({ name, clips, speakers }) => [name, clips, speakers]), [
      ["dev", 1, 1],
      ["test", 1, 1],
      ["train", 3, 2],
    ]);
    assertEquals(notes.length, 3); // 44.1 kHz is resampled
  }));

Deno.test("odd and malformed rows of Common Voice are named", () =>
  withFolder({
    ...corpus,
    "en/train.tsv": HEADER + row("ada", "a.mp3", "One") + row("ada", "x.mp3", "Two") +
      row("ada", "y.mp3", "Three") +
      row("ada", "a.mp3", "One") + row("ben", "b.mp3", "") + row("ben", "z.mp3", "Six") +
      row("ben", "e.mp3", "Seven") + row("ben", "d.mp3", "Eight\tNine") + row("ben", "", "Ten") + "ben\n" +
      row("ben", "w.mp3", "Eleven") + row("ben", "a.mp3", "Other") + row("cy", "c.mp3", "Twelve") +
      row("cy", "f.mp3", "Thirteen"),
    "en/clips/e.mp3": "",
    "en/clips/f.mp3": mp3,
    "en/clip_durations.tsv": "clip\tduration[ms]\nf.mp3\t0\n",
  }, async (dir) => {
    const { utterances, notes, errors } = await openAll(dir, "train");
    assertEquals(utterances.map(({ id }) => id), ["a.mp3", "c.mp3"]);
    const list = "DIR/en/train.tsv";
    assertEquals(errors, [
      `Cannot read ${list}:9 as a row must have 13 fields, as the header has: it has 14`,
      `Cannot read ${list}:10 as path must name a file: it is missing`,
      `Cannot read ${list}:11 as path must name a file: it is missing`,
    ]);
    assertEquals(notes, [
      `utterances without audio, skipped: 4 (x.mp3 in ${list}:3, y.mp3 in ${list}:4, z.mp3 in ${list}:7 and 1 more)`,
      `recordings that are listed twice with the same label, used once: 1 (a.mp3 in ${list}:5)`,
      `utterances without a transcript, skipped: 1 (b.mp3 in ${list}:6)`,
      `utterances of zero length, skipped: 2 (e.mp3 in ${list}:8, f.mp3 in ${list}:15)`,
      `rows with the id of an earlier one and another label, skipped: 1 (a.mp3 in ${list}:13)`,
    ]);
    const strict = await openAll(dir, "train", { strict: true });
    assertEquals([strict.utterances.length, strict.notes, strict.errors.length], [2, [], 12]);
    await assertRejects(
      () => openCorpus(dir, "train", { task: "asr", strict: true }),
      SyntaxError,
      `train.tsv:3 as every utterance needs its audio: there is no file ${dir}/en/clips/x.mp3`,
    );
    await Deno.writeTextFile(`${dir}/en/clip_durations.tsv`, "clip\tduration[ms]\na.mp3\tlong\n");
    const { errors: [error] } = await openAll(dir, "train");
    assertEquals(error, "Cannot read DIR/en/clip_durations.tsv:2 as duration[ms] must be a number: long");
  }));
