// transcribe, classify and extract as a user runs them, in this process: their output, and their errors about bad
// files.
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { parseSafetensors, toFloat32 } from "../../model/checkpoint/safetensors.ts";
import { testGpu } from "../gpu.ts";
import { run, testdata, withModel, writeNoise } from "./run.ts";

Deno.test("transcribe prints text, words with times, and continues after a bad file", async () => {
  await withModel(() => ({ architectures: ["Wav2Vec2ForCTC"] }), async (model, folder) => {
    const good = `${folder}/good.wav`;
    await writeNoise(good, 16_000);
    await writeNoise(`${folder}/short.wav`, 300);
    await Deno.writeFile(`${folder}/empty.flac`, new Uint8Array());
    await Deno.writeTextFile(`${folder}/text.wav`, "no audio");
    const bad = ["missing.wav", "short.wav", "empty.flac", "text.wav"].map((name) => `${folder}/${name}`);

    const plain = await run("transcribe", "--model", model, ...bad, good);
    assertEquals(plain.status, 1);
    assertEquals(plain.out.length, 1);
    assert(plain.out[0]!.startsWith(`${good}\t`), plain.out[0]);
    assertEquals(plain.err.length, bad.length, plain.err.join("\n"));
    bad.forEach((file, i) => assertStringIncludes(plain.err[i]!, file));
    assert(plain.err.every((line) => !line.includes("\n")));
    assertStringIncludes(plain.err[1]!, "300");

    const json = await run("transcribe", "--model", model, "--json", good);
    assertEquals(json.status, 0);
    const { file, seconds, text, words } = JSON.parse(json.out[0]!);
    assertEquals([file, seconds], [good, 1]);
    assertEquals(words.map((word: { text: string }) => word.text).join(" "), text);
    for (const { start, end, confidence } of words) {
      assert(0 <= start && start < end && end <= 1 && confidence > 0 && confidence <= 1);
    }

    const beam = await run("transcribe", "--model", model, "--beam", "8", good);
    assertEquals(beam.status, 0, beam.err.join());

    const half = await run("transcribe", "--model", model, "--half", good);
    if ((await testGpu()).half) assertEquals([half.status, half.out.length], [0, 1], half.err.join());
    else assertEquals([half.status, half.err.length], [2, 1]);
  });
});

Deno.test("transcribe in chunks gives the text of the whole", async () => {
  const layer = { feat_extract_norm: "layer", conv_bias: true, architectures: ["Wav2Vec2ForCTC"] };
  await withModel(() => layer, async (model, folder) => {
    await writeNoise(`${folder}/long.wav`, 16_000 * 9);
    const seen = [];
    for (const seconds of ["4", "20"]) {
      const { out } = await run(
        "transcribe",
        "--model",
        model,
        "--chunk-length",
        seconds,
        "--json",
        `${folder}/long.wav`,
      );
      seen.push(JSON.parse(out[0]!));
    }
    // Attention reaches further than a margin in a random model, so a few letters may differ, but no frame is lost.
    const [cut, whole] = seen;
    assertAlmostEquals(cut.words.at(-1).end, whole.words.at(-1).end, 0.5);
    assertAlmostEquals(cut.text.length / whole.text.length, 1, 0.2);
  });
});

Deno.test("classify ranks the classes", async () => {
  const intents = {
    architectures: ["Wav2Vec2ForSequenceClassification"],
    id2label: { 0: "on", 1: "off", 2: "dim" },
  };
  await withModel(() => intents, async (model, folder) => {
    await writeNoise(`${folder}/clip.wav`, 12_000);
    const { status, out } = await run(
      "classify",
      "--model",
      model,
      "--top",
      "3",
      "--json",
      `${folder}/clip.wav`,
    );
    assertEquals(status, 0);
    const { classes } = JSON.parse(out[0]!) as { classes: { label: string; probability: number }[] };
    assertEquals(classes.map(({ label }) => label).sort(), ["dim", "off", "on"]);
    assertAlmostEquals(classes.reduce((sum, { probability }) => sum + probability, 0), 1, 1e-6);
    assert(classes[0]!.probability >= classes[1]!.probability);

    const wrong = await run("transcribe", "--model", model, `${folder}/clip.wav`);
    assertEquals([wrong.status, wrong.out.length, wrong.err.length], [2, 0, 1]);
    assertStringIncludes(wrong.err[0]!, "a CTC head and a vocabulary are needed");
  });
});

Deno.test("extract writes logits and all hidden states", async () => {
  await withModel(() => ({ architectures: ["Wav2Vec2ForCTC"] }), async (model, folder) => {
    const clip = `${folder}/clip.wav`;
    await writeNoise(clip, 16_000);
    const out = `${folder}/states.safetensors`;
    const { status, err } = await run("extract", "--model", model, "--out", out, clip);
    assertEquals(status, 0, err.join());
    const { tensors } = parseSafetensors(await Deno.readFile(out), out);
    const config = JSON.parse(await Deno.readTextFile(`${model}/config.json`));
    const layers = config.num_hidden_layers;
    const names = ["logits", ...Array.from({ length: layers + 1 }, (_, i) => `hidden.${i}`)];
    assertEquals([...tensors.keys()].sort(), names.map((name) => `${clip}/${name}`).sort());
    assertEquals(tensors.get(`${clip}/logits`)!.shape, [49, config.vocab_size]);
    assertEquals(tensors.get(`${clip}/hidden.${layers}`)!.shape, [49, config.hidden_size]);
    assert(toFloat32(tensors.get(`${clip}/hidden.0`)!).some((x) => x !== 0));
  });
});

Deno.test("a folder that is not a model is one line and status 2", async () => {
  const clip = `${testdata}/audio/tone.flac`;
  for (const model of ["/nonexistent", `${testdata}/audio`]) {
    const { status, out, err } = await run("transcribe", "--model", model, clip);
    assertEquals([status, out.length, err.length], [2, 0, 1], err.join("\n"));
    assertStringIncludes(err[0]!, model);
  }
  await withModel(() => ({ architectures: ["Wav2Vec2ForCTC"] }), async (model) => {
    await Deno.writeTextFile(`${model}/vocab.json`, `{ "<pad>": 0, "|": 1, "A": 2 }`);
    const { status, err } = await run("transcribe", "--model", model, clip);
    assertEquals([status, err.length], [2, 1]);
    assertStringIncludes(err[0]!, "must have as many ids as the CTC head");
  });
  const none = await run("transcribe", "--model", `${testdata}/base`);
  assertEquals(none.status, 2);
});

Deno.test("transcribe writes every format, of several files into a folder", async () => {
  const samples = new URL("../../assets/samples", import.meta.url).pathname;
  const files = ["radio", "weather"].map((name) => `${samples}/${name}.flac`);
  const dense = ["transcribe", "--model", EMBEDDED_DENSE, "--quiet"];
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    const ctm = await run(...dense, "--format", "ctm", ...files);
    assertEquals(ctm.status, 0, ctm.err.join());
    const lines = ctm.out.join("\n").split("\n");
    assertEquals(lines.map((line) => line.split(" ")[0]), [
      ...Array(10).fill("radio"),
      ...Array(8).fill("weather"),
    ]);
    assertEquals(lines.at(-1)!.split(" ").slice(0, 5), ["weather", "1", "1.72", "0.34", "MONDAY"]);

    const subtitles = await run(...dense, "--format", "srt", "--out", `${folder}/srt`, ...files);
    assertEquals(subtitles, { status: 0, out: [], err: [] });
    assertEquals(
      await Deno.readTextFile(`${folder}/srt/weather.srt`),
      "1\n00:00:00,000 --> 00:00:02,060\nWHAT IS THE WEATHER IN LONDON ON MONDAY\n",
    );
    const names = (await Array.fromAsync(Deno.readDir(`${folder}/srt`))).map(({ name }) => name);
    assertEquals(names.sort(), ["radio.srt", "weather.srt"]);

    const vtt = await run(...dense, "--format", "vtt", files[1]!);
    assertEquals(vtt.out, [
      "WEBVTT\n\n00:00:00.000 --> 00:00:02.060\nWHAT IS THE WEATHER IN LONDON ON MONDAY",
    ]);
    const byFormat = await run(...dense, "--format", "json", files[1]!);
    const byFlag = await run(...dense, "--json", files[1]!);
    assertEquals(byFormat, byFlag);

    const mistakes: [string[], string][] = [
      [["--format", "srt", ...files], "Subtitles are a file per recording: give one recording, or --out DIR"],
      [["--format", "srt", "--json", files[0]!], "--json cannot be used with --format srt"],
      [["--out", `${folder}/srt`, ...files], "--out must be a new or empty folder"],
      [["--out", `${folder}/b`, files[0]!, files[0]!], "as file names must differ"],
    ];
    for (const [words, message] of mistakes) {
      const { status, out, err } = await run(...dense, ...words);
      assertEquals([status, out.length, err.length], [2, 0, 1], words.join(" "));
      assertStringIncludes(err[0]!, message);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("transcribe reads a pipe", { ignore: Deno.build.os === "windows" }, async () => {
  await withModel(() => ({ architectures: ["Wav2Vec2ForCTC"] }), async (model, folder) => {
    const [wav, pipe] = [`${folder}/a.wav`, `${folder}/pipe`];
    await writeNoise(wav, 16_000);
    await new Deno.Command("mkfifo", { args: [pipe] }).output();
    const written = new Deno.Command("cp", { args: [wav, pipe] }).output();
    const piped = await run("transcribe", "--model", model, pipe);
    await written;
    const { out: [expected] } = await run("transcribe", "--model", model, wav);
    assertEquals(piped, { status: 0, out: [expected!.replace(wav, pipe)], err: [] });
  });
});
