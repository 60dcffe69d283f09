import { assertEquals, assertRejects } from "@std/assert";
import { listSubsets, openCorpus } from "../../../data/corpus/corpus.ts";
import { withSeconds } from "../../../data/corpus/durations.ts";
import type { Task } from "../../../data/corpus/utterance.ts";
import { put, tone, withFolder } from "../folder.ts";

const audioFile = tone(0.1);

const libriSpeech = {
  "train-clean-100/84/121/84-121.trans.txt": "84-121-0000 GO DO YOU HEAR\n84-121-0001 IT'S LATE\n",
  "train-clean-100/84/121/84-121-0000.flac": audioFile,
  "train-clean-100/84/121/84-121-0001.wav": audioFile,
  "train-clean-360/9/1/9-1.trans.txt": "9-1-0000 YES\r\n",
  "train-clean-360/9/1/9-1-0000.flac": audioFile,
  "train-other-500/8/1/8-1.trans.txt": "8-1-0000 NO\n",
  "train-other-500/8/1/8-1-0000.flac": audioFile,
  "dev-other/7/1/7-1.trans.txt": "7-1-0000 PERHAPS\n",
  "dev-other/7/1/7-1-0000.flac": audioFile,
  "BOOKS.TXT": "",
};

const row = (id: number, file: string, more: Record<string, unknown> = {}) =>
  JSON.stringify({
    slurp_id: id,
    sentence: "what time is it",
    intent: "datetime_other",
    scenario: "datetime",
    action: "query",
    recordings: [{ file, wer: 0, ent_wer: null, status: "correct" }],
    ...more,
  }) + "\n";

const slurp = {
  "dataset/slurp/train.jsonl": row(1, "a.flac"),
  "dataset/slurp/train_synthetic.jsonl": row(2, "s.flac"),
  "dataset/slurp/devel.jsonl": row(3, "b.flac", { sentence: null }),
  "audio/slurp_real/a.flac": audioFile,
  "audio/slurp_real/b.flac": audioFile,
  "audio/slurp_synth/s.flac": audioFile,
};

const ids = async (dir: string, subset: string, task: Task) =>
  (await openCorpus(dir, subset, { task })).map(({ id }) => id);

Deno.test("LibriSpeech's layout is read, also from the folder above, by full name or by prefix", () =>
  withFolder(libriSpeech, async (dir) => {
    const [first] = await openCorpus(dir, "train-clean-100", { task: "asr" });
    const audio = `${dir}/train-clean-100/84/121/84-121-0000.flac`;
    assertEquals(first, { id: "84-121-0000", audio, text: "GO DO YOU HEAR", speaker: "84" });
    assertEquals(await ids(dir, "train", "asr"), ["84-121-0000", "84-121-0001", "9-1-0000"]);
    assertEquals(await ids(dir, "train-other-500, dev", "asr"), ["8-1-0000", "7-1-0000"]);
    await withFolder({}, async (above) => {
      await Deno.symlink(dir, `${above}/LibriSpeech`);
      assertEquals((await listSubsets(above, { task: "asr" })).length, 4);
      assertEquals(await ids(above, "dev", "asr"), ["7-1-0000"]);
    });
  }));

Deno.test("SLURP's layout is read: classes of scenario and action, sentences where there are some", () =>
  withFolder(slurp, async (dir) => {
    const [first] = await openCorpus(dir, "train", { task: "slu" });
    assertEquals(first, {
      id: "a",
      audio: `${dir}/audio/slurp_real/a.flac`,
      text: "what time is it",
      intent: "datetime_query",
    });
    assertEquals(await ids(dir, "train,train-synthetic", "slu"), ["a", "s"]);
    assertEquals((await openCorpus(dir, "dev", { task: "slu" }))[0]!.text, undefined);
    assertEquals(await ids(dir, "train", "asr"), ["a"]);
    const message =
      `Cannot read ${dir}/dataset/slurp/devel.jsonl:1 as speech recognition needs a transcript: `;
    await assertRejects(() => openCorpus(dir, "dev", { task: "asr" }), SyntaxError, message);
  }));

Deno.test("a manifest is read, paths from where it is; a folder may have several", () =>
  withFolder({
    "lists/train.jsonl": `{"audio": "../a.wav", "text": "hello", "speaker": "ada", "seconds": 0.1}\n\n` +
      `{"audio": "../b.wav", "intent": "greet", "id": "b"}\n` +
      `{"audio": "../b.wav", "text": "", "id": "silence"}\n`,
    "a.wav": audioFile,
    "b.wav": audioFile,
  }, async (dir) => {
    const path = `${dir}/lists/train.jsonl`;
    const errors: string[] = [];
    const onError = (error: Error) => void errors.push(error.message);
    const transcribed = await openCorpus(path, "any", { task: "asr", onError });
    const audio = `${dir}/lists/../a.wav`;
    assertEquals(transcribed, [
      { id: "../a.wav", audio, text: "hello", speaker: "ada", seconds: 0.1 },
      { id: "silence", audio: `${dir}/lists/../b.wav`, text: "" },
    ]);
    assertEquals(errors, [`Cannot read ${path}:3 as speech recognition needs a transcript: b has none`]);
    const understood = await openCorpus(`${dir}/lists`, "train", { task: "slu", onError });
    assertEquals(understood, [{ id: "b", audio: `${dir}/lists/../b.wav`, intent: "greet" }]);
  }));

Deno.test("a recording that SLURP lists under two sentences of one class is used once, with a note", () =>
  withFolder({
    ...slurp,
    "dataset/slurp/train.jsonl": row(1, "a.flac") + row(2, "b.flac") +
      row(3, "a.flac", { sentence: "the time please" }),
  }, async (dir) => {
    const path = `${dir}/dataset/slurp/train.jsonl`;
    const notes: string[] = [];
    const found = await openCorpus(dir, "train", { task: "slu", onNote: (note) => notes.push(note) });
    assertEquals(found.map(({ id, text }) => [id, text]), [["a", "what time is it"], [
      "b",
      "what time is it",
    ]]);
    assertEquals(notes, [
      `recordings that are listed twice with the same label, used once: 1 (a in ${path}:3)`,
    ]);
    const message = `Cannot read ${path}:3 as ids must be unique: a is already in ${path}:1`;
    for (const task of ["asr", "slu"] as const) {
      await assertRejects(() => openCorpus(dir, "train", { task, strict: true }), SyntaxError, message);
    }
    notes.length = 0;
    assertEquals(
      (await openCorpus(dir, "train", { task: "asr", onNote: (note) => notes.push(note) })).length,
      2,
    );
    assertEquals(notes, [
      `rows with the id of an earlier one and another label, skipped: 1 (a in ${path}:3)`,
    ]);
  }));

Deno.test("a manifest of NeMo or ESPnet is read, with segments of a file", () =>
  withFolder({
    "train.jsonl": '{"audio_filepath": "a.wav", "text": "turn on", "duration": 0.1, "offset": 0}\n'.repeat(5),
    "cut.jsonl": '{"audio_filepath": "a.wav", "text": "turn", "duration": 0.05, "offset": 0}\n' +
      '{"audio_filepath": "a.wav", "text": "on", "duration": 0.03, "offset": 0.05}\n' +
      '{"audio_filepath": "a.wav", "text": "", "duration": null, "offset": 0.06}\n' +
      '{"audio_filepath": "a.wav", "text": "", "duration": 0, "offset": 0.06}\n' +
      '{"audio_filepath": "b.wav", "text": "b", "duration": 1, "offset": 0}\n' +
      '{"audio_filepath": "empty.wav", "text": "b", "duration": 1, "offset": 0}\n',
    "bad.jsonl": '{"audio_filepath": "a.wav", "text": "on", "duration": 0.05, "offset": -1}\n' +
      '{"audio_filepath": "a.wav", "text": "on", "duration": "1", "offset": 0.05}\n',
    "a.wav": audioFile,
    "empty.wav": tone(0),
  }, async (dir) => {
    const notes: string[] = [];
    const errors: string[] = [];
    const options = {
      task: "asr" as const,
      onNote: (note: string) => void notes.push(note),
      onError: (error: Error) => void errors.push(error.message),
    };
    assertEquals(await openCorpus(dir, "train", options), [
      { id: "a.wav", audio: `${dir}/a.wav`, text: "turn on", seconds: 0.1 },
    ]);
    assertEquals(notes, [
      "recordings that are listed twice with the same label, used once: 4 (" +
      [2, 3, 4].map((line) => `a.wav in ${dir}/train.jsonl:${line}`).join(", ") + " and 1 more)",
    ]);
    notes.length = 0;
    const audio = `${dir}/a.wav`;
    const cut = await openCorpus(dir, "cut", options);
    assertEquals(cut, [
      { id: "a.wav", audio, segment: { offset: 0, seconds: 0.05 }, text: "turn", seconds: 0.05 },
      { id: "a.wav@0.05+0.03", audio, segment: { offset: 0.05, seconds: 0.03 }, text: "on", seconds: 0.03 },
      { id: "a.wav@0.06+", audio, segment: { offset: 0.06 }, text: "" },
    ]);
    assertEquals((await withSeconds(cut)).map(({ seconds }) => seconds), [0.05, 0.03, 0.1 - 0.06]);
    assertEquals(notes, [
      `utterances with an empty transcript, taken as without speech: 1 (a.wav@0.06+ in ${dir}/cut.jsonl:3)`,
      `utterances of zero length, skipped: 2 (a.wav@0.06+0 in ${dir}/cut.jsonl:4, ` +
      `empty.wav in ${dir}/cut.jsonl:6)`,
      `utterances without audio, skipped: 1 (b.wav in ${dir}/cut.jsonl:5)`,
    ]);
    const strict = { ...options, strict: true };
    assertEquals((await openCorpus(dir, "cut", strict)).length, 3);
    await assertRejects(
      () => openCorpus(dir, "bad", options),
      RangeError,
      "as a subset must have utterances: bad has none",
    );
    assertEquals(errors, [
      `Cannot read ${dir}/cut.jsonl:3 as a transcript must have text: it is empty`,
      `Cannot read ${dir}/cut.jsonl:4 as an utterance must have a length: it lasts 0 s`,
      `Cannot read ${dir}/cut.jsonl:5 as every utterance needs its audio: there is no file ${dir}/b.wav`,
      `Cannot read ${dir}/cut.jsonl:6 as audio must have samples: ${dir}/empty.wav has none`,
      `Cannot read ${dir}/bad.jsonl:1 as offset must be seconds, at least 0: -1`,
      `Cannot read ${dir}/bad.jsonl:2 as duration must be seconds, at least 0: "1"`,
    ]);
    assertEquals((await openCorpus(dir, "cut", { task: "asr", limit: 2 })).length, 2);
  }));

Deno.test("manifests that NeMo writes as .json are found in a folder without .jsonl", () => {
  const row = '{"audio_filepath": "a.wav", "text": "turn on", "duration": 0.1}\n';
  return withFolder({
    "train_manifest.json": row,
    "manifest_test.json": row,
    "dev.json": row,
    "config.json": '{\n  "audio_filepath": 1\n}\n',
    "a.wav": audioFile,
  }, async (dir) => {
    assertEquals(await listSubsets(dir, { task: "asr" }), ["dev", "test", "train"]);
    assertEquals(await ids(dir, "train", "asr"), ["a.wav"]);
    await Deno.writeTextFile(`${dir}/train.jsonl`, row);
    assertEquals(await listSubsets(dir, { task: "asr" }), ["train"]);
  });
});

Deno.test("AppleDouble files are not part of a corpus", async () => {
  const apple = Uint8Array.of(0, 5, 0x16, 7, 0, 2, 0, 0);
  const beside = (files: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.keys(files).map((path) => [path.replace(/([^/]+)$/, "._$1"), apple]));
  await withFolder({ ...libriSpeech, ...beside(libriSpeech) }, async (dir) => {
    assertEquals(await ids(dir, "train", "asr"), ["84-121-0000", "84-121-0001", "9-1-0000"]);
  });
  await withFolder({ ...slurp, ...beside(slurp) }, async (dir) => {
    assertEquals(await listSubsets(dir, { task: "slu" }), ["devel", "train", "train_synthetic"]);
    assertEquals(await ids(dir, "train", "slu"), ["a"]);
  });
});

Deno.test("control characters of names and text are escaped in errors", () =>
  withFolder({
    ...libriSpeech,
    "train-clean-100/84/121/\x1b[2J\u202ex.wav": audioFile,
    "train-clean-100/84/121/y.trans.txt": "\0a\x07 B\n",
  }, async (dir) => {
    const errors: string[] = [];
    const onError = (error: Error) => void errors.push(error.message);
    await openCorpus(dir, "train-clean-100", { task: "asr", strict: true, onError });
    const chapter = `${dir}/train-clean-100/84/121`;
    assertEquals(errors, [
      `Cannot read ${chapter}/y.trans.txt:1 as every transcript needs its audio: ` +
      `there is no ${chapter}/\\x00a\\x07.flac or .wav`,
      `Cannot read ${chapter}/\\x1b[2J\\u{202e}x.wav as every audio file needs a line in a .trans.txt: it has none`,
    ]);
  }));

Deno.test("an error in a corpus is one line with file and line", async () => {
  const chapter = "train-clean-100/84/121/";
  const trans = `${chapter}84-121.trans.txt`;
  const line = (text: string) => ({ [trans]: text });
  const cases: [Record<string, string | Uint8Array>, Record<string, string | Uint8Array>, Task, string][] = [
    [
      libriSpeech,
      line("84-121-0000 A\n84-121-0001 B\n84-121-0002 C\n"),
      "asr",
      `${trans}:3 as every transcript`,
    ],
    [
      libriSpeech,
      line("84-121-0000 A\n"),
      "asr",
      `${chapter}84-121-0001.wav as every audio file needs a line`,
    ],
    [
      libriSpeech,
      line("84-121-0000 A\n84-121-0000 B\n"),
      "asr",
      `${trans}:2 as ids must be unique`,
    ],
    [
      libriSpeech,
      line("84-121-0000\n84-121-0001 B\n"),
      "asr",
      `${trans}:1 as a transcript must follow the id`,
    ],
    [
      libriSpeech,
      { "train-clean-360/9/2/9-2.trans.txt": "9-1-0000 A\n", "train-clean-360/9/2/9-1-0000.wav": audioFile },
      "asr",
      "as ids must be unique: 9-1-0000 occurs twice",
    ],
    [slurp, { "dataset/slurp/train.jsonl": "{" }, "slu", "train.jsonl:1 as it must be JSON"],
    [slurp, { "dataset/slurp/train.jsonl": "[]" }, "slu", "train.jsonl:1 as it must be a JSON object: []"],
    [slurp, { "dataset/slurp/train.jsonl": "" }, "slu", "as a subset must have utterances: train has none"],
    [
      slurp,
      { "dataset/slurp/train.jsonl": row(1, "a.flac") + row(2, "c.flac") },
      "slu",
      "train.jsonl:2 as every rec",
    ],
    [
      slurp,
      { "dataset/slurp/train.jsonl": row(1, "a.flac") + row(2, "a.flac", { action: "set" }) },
      "slu",
      ":2 as ids must be unique",
    ],
    [
      slurp,
      { "dataset/slurp/train.jsonl": row(1, "a.flac", { action: null }) },
      "slu",
      "action: action is missing",
    ],
    [
      slurp,
      { "dataset/slurp/train.jsonl": row(1, "a.flac", { recordings: 3 }) },
      "slu",
      "recordings must be a list",
    ],
    [
      slurp,
      { "dataset/slurp/train.jsonl": row(1, "a.flac", { scenario: 3 }) },
      "slu",
      "scenario must be text: 3",
    ],
    [
      {},
      { "train.jsonl": '{"audio": "x.wav", "text": "A"}' },
      "asr",
      "train.jsonl:1 as every utterance needs its audio",
    ],
    [{}, { "train.jsonl": '{"text": "A"}' }, "asr", "train.jsonl:1 as audio must name a file: it is missing"],
  ];
  for (const [base, changes, task, message] of cases) {
    await withFolder({ ...base }, async (dir) => {
      await put(dir, changes);
      const error = await assertRejects(
        () => openCorpus(dir, "train", { task, strict: true }),
        Error,
        message,
      );
      assertEquals((error as Error).message.split("\n").length, 1);
    });
  }
});

Deno.test("the error of a missing subset lists the subsets", () =>
  withFolder(libriSpeech, async (dir) => {
    const all = "dev-other, train-clean-100, train-clean-360, train-other-500: test is requested";
    await assertRejects(() => openCorpus(dir, "test", { task: "asr" }), RangeError, all);
    await assertRejects(() => openCorpus(dir, "train", { task: "slu" }), RangeError, "it holds none");
    await assertRejects(() => openCorpus(`${dir}/x`, "train", { task: "asr" }), RangeError, "no such folder");
  }));
