import { assertEquals } from "@std/assert";
import { checkCorpus } from "../../../data/corpus/check.ts";
import { listSubsets, openCorpus } from "../../../data/corpus/corpus.ts";
import { tone, withFolder } from "../folder.ts";
import { openAll, tokenizer } from "./read.ts";

const corpus = {
  "data/train/wav.scp": "utt-a wav/a.wav\nutt-b\t./wav/b.wav\n",
  "data/train/text": "utt-a turn  on\nutt-b OFF\n",
  "data/train/utt2spk": "utt-a ada\nutt-b ben\n",
  "data/train/utt2dur": "utt-a 0.1\n",
  "data/dev/wav.scp": "rec ../../wav/a.wav\n",
  "data/dev/segments": "rec-1 rec 0 0.04\nrec-2 rec 0.05 -1\nrec-3 rec 0.06 0.08 1\n",
  "data/dev/text": "rec-1 one\nrec-2 two\nrec-3 three\n",
  "data/local/dict/lexicon.txt": "",
  "wav/a.wav": tone(0.1),
  "wav/b.wav": tone(0.2),
};

Deno.test("Kaldi's data folders are read: paths, speakers, durations and segments", () =>
  withFolder(corpus, async (dir) => {
    assertEquals(await listSubsets(dir, { task: "asr" }), ["dev", "train"]);
    const expected = (folder: string) => [
      { id: "utt-a", audio: `${folder}/../../wav/a.wav`, text: "turn  on", speaker: "ada", seconds: 0.1 },
      { id: "utt-b", audio: `${folder}/../.././wav/b.wav`, text: "OFF", speaker: "ben" },
    ];
    assertEquals(await openCorpus(dir, "train", { task: "asr" }), expected(`${dir}/data/train`));
    assertEquals(await openCorpus(`${dir}/data`, "train", { task: "asr" }), expected(`${dir}/data/train`));
    assertEquals(
      await openCorpus(`${dir}/data/train`, "test", { task: "asr" }),
      expected(`${dir}/data/train`),
    );
    const audio = `${dir}/data/dev/../../wav/a.wav`;
    assertEquals(await openCorpus(dir, "dev", { task: "asr" }), [
      { id: "rec-1", audio, segment: { offset: 0, seconds: 0.04 }, text: "one", seconds: 0.04 },
      { id: "rec-2", audio, segment: { offset: 0.05 }, text: "two" },
      {
        id: "rec-3",
        audio,
        segment: { offset: 0.06, seconds: 0.08 - 0.06 },
        text: "three",
        seconds: 0.08 - 0.06,
      },
    ]);
    const { subsets, problems } = await checkCorpus(dir, { threads: 1, tokenizer });
    assertEquals(problems, [
      `Cannot read 0.02 s at 0.06 s of ${audio} as audio must have at least 400 samples: found 320`,
    ]);
    assertEquals(subsets.map(({ clips, seconds }) => [clips, Number(seconds.all.toFixed(3))]), [[3, 0.09], [
      2,
      0.3,
    ]]);
  }));

Deno.test("odd rows of Kaldi are named; commands and archives are refused, and not run", () =>
  withFolder({
    ...corpus,
    "data/train/wav.scp": `utt-a wav/a.wav
utt-b touch DIR/ran |
utt-c flac -cds wav/b.wav |
utt-d data/wav.ark:12
utt-e /nowhere/e.wav
utt-f
utt-g wav/a.wav
`,
    "data/train/text": "utt-a one\nutt-b two\nutt-e five\nutt-g\nutt-h eight\nutt-a again\n",
    "data/train/utt2dur": "utt-a long\n",
    "data/dev/segments": `rec-1 rec 0 0
rec-2 rec
rec-3 rec 0.01 x
rec-4 rec -1 0.02
rec-5 rec 0.01 0.02 1 more
rec-6 other 0 1
rec-7 rec 0.05 0.1
`,
    "data/dev/text": [1, 2, 3, 4, 5, 6, 7].map((i) => `rec-${i} word\n`).join(""),
  }, async (dir) => {
    const train = await openAll(dir, "train");
    const folder = "DIR/data/train";
    assertEquals(train.errors, [
      `Cannot read ${folder}/wav.scp:2 as wav.scp must name files, as commands are not run: touch DIR/ran | (1 more)`,
      `Cannot read ${folder}/wav.scp:4 as wav.scp must name files, not places in archives: data/wav.ark:12 (0 more)`,
      `Cannot read ${folder}/text:6 as ids must be unique: utt-a is already in ${folder}/text:1`,
      `Cannot read ${folder}/utt2dur:1 as a duration must be seconds: long`,
      "Cannot open DIR as a subset must have utterances: train has none that can be used (Cannot read " +
      `${folder}/wav.scp:5 as every utterance needs its audio: there is no file /nowhere/e.wav)`,
    ]);
    assertEquals(await Deno.stat(`${dir}/ran`).catch(() => null), null);
    const dev = await openAll(dir, "dev");
    const segments = "DIR/data/dev/segments";
    assertEquals(dev.utterances.map(({ id }) => id), ["rec-7"]);
    assertEquals(dev.errors, [
      `Cannot read ${segments}:2 as the start of a segment must be seconds: it is missing`,
      `Cannot read ${segments}:3 as the end of a segment must be seconds: x`,
      `Cannot read ${segments}:4 as the start of a segment must be at least 0: -1`,
      `Cannot read ${segments}:5 as a segment has a recording, a start and an end: more: 1 more`,
    ]);
    assertEquals(dev.notes, [
      `utterances of zero length, skipped: 1 (rec-1 in ${segments}:1)`,
      `utterances without audio, skipped: 1 (rec-6 in ${segments}:6)`,
    ]);
  }));
