// eval as a user runs it: figures of a random model on a manifest of noise.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run, withModel, writeNoise } from "./run.ts";

const ctc = { architectures: ["Wav2Vec2ForCTC"] };
const intents = {
  architectures: ["Wav2Vec2ForSequenceClassification"],
  id2label: { 0: "on", 1: "off", 2: "dim" },
};

Deno.test("eval gives error rates with intervals, cost and speed", async () => {
  await withModel(() => ctc, async (model, folder) => {
    const rows = [];
    for (const [i, samples] of [9000, 16_000, 24_000].entries()) {
      await writeNoise(`${folder}/${i}.wav`, samples);
      rows.push(JSON.stringify({ audio: `${i}.wav`, text: "turn it on" }));
    }
    await Deno.writeTextFile(`${folder}/test.jsonl`, rows.join("\n") + "\n");
    const args = ["eval", "--model", model, "--data", `${folder}/test.jsonl`];
    const { status, out, err } = await run(...args, "--json");
    assertEquals(status, 0, err.join());
    const report = JSON.parse(out.join("\n"));
    assertEquals([report.utterances, report.wer.reference, report.accuracy], [3, 9, null]);
    assert(report.wer.low <= report.wer.value && report.wer.value <= report.wer.high);
    assert(report.parameters > 0 && report.macs_per_second > 0 && report.real_time_factor > 0);

    const keys = out.join("\n").match(/"\w+":/g)!;
    assertEquals(keys.filter((key) => /[A-Z]/.test(key)), [], "keys are in snake case, as of every command");

    const text = await run(...args, "--limit", "1");
    assertStringIncludes(text.out[0]!, "1 utterances");
    assertStringIncludes(text.out[0]!, "WER");

    await Deno.writeTextFile(`${folder}/bad.jsonl`, `{ "audio": "nowhere.wav", "text": "on" }\n`);
    const bad = await run("eval", "--model", model, "--data", `${folder}/bad.jsonl`);
    assertEquals([bad.status, bad.out.length, bad.err.length], [2, 0, 1]);
    assertStringIncludes(bad.err[0]!, "nowhere.wav");
  });
});

Deno.test("eval gives the accuracy of a classifier", async () => {
  await withModel(() => intents, async (model, folder) => {
    await writeNoise(`${folder}/clip.wav`, 16_000);
    const rows = ["on", "off", "dim"].map((intent) =>
      JSON.stringify({ id: intent, audio: "clip.wav", intent })
    );
    await Deno.writeTextFile(`${folder}/test.jsonl`, rows.join("\n"));
    const { status, out, err } = await run(
      "eval",
      "--model",
      model,
      "--data",
      `${folder}/test.jsonl`,
      "--json",
    );
    assertEquals(status, 0, err.join());
    // The same utterance three times: the model predicts one of its three classes.
    assertEquals(Math.round(3 * JSON.parse(out.join("\n")).accuracy.value), 1);
  });
});
