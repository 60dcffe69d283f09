import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { encodeWav } from "../../data/audio/wav_write.ts";
import { readVocabulary } from "../../data/corpus/vocabulary.ts";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { readMetrics } from "../../train/metrics.ts";
import { loadRunState } from "../../train/run_state.ts";
import { put } from "../data/folder.ts";
import { regularizationOf } from "./tiny.ts";
import { assertMistake, run, withCorpus } from "./tone_corpus.ts";

const path = (name: string) => decodeURIComponent(new URL(`../../${name}`, import.meta.url).pathname);

Deno.test("train makes a model that eval reads, that can be resumed and trained further", () =>
  withCorpus(async (dir) => {
    const out = `${dir}/out`;
    const words = [
      "train",
      "--recipe",
      `${dir}/recipe.json`,
      "--out",
      out,
      "--lr",
      "0.003",
      "--grad-accum-steps",
      "2",
    ];
    const first = await run(...words, "--eval-every", "3");
    assertEquals(first.status, 0, first.err);
    assertStringIncludes(first.err, "step 3: dev WER 100.00 %");
    assertStringIncludes(first.out, `${out}: 6 steps, `);
    const names = (await Array.fromAsync(Deno.readDir(out))).map(({ name }) => name).sort();
    assertEquals(names, [
      "config.json",
      "metrics.csv",
      "metrics.jsonl",
      "model.safetensors",
      "preprocessor_config.json",
      "state",
      "vocab.json",
    ]);
    const { config, head } = await readCheckpoint(out);
    assertEquals([config.vocab_size, head], [5 + 6, "ctc"]);
    const metrics = await readMetrics(`${out}/metrics.jsonl`);
    assertEquals(Math.max(...metrics.map(({ lr }) => Number(lr ?? 0))), 0.003);

    const { info } = (await loadRunState(`${out}/state`))!;
    const wer = metrics.findLast((record) => record["best"])!["wer"];
    const evaluated = await run(
      "eval",
      "--model",
      out,
      "--data",
      `${dir}/corpus`,
      "--subset",
      "dev",
      "--json",
    );
    assertEquals(JSON.parse(evaluated.out).wer.value, wer, evaluated.err);
    assertEquals((info["settings"] as Record<string, unknown>)["lr"], 0.003);

    // With more steps, and no other option.
    const again = await run("train", "--out", out, "--resume", "--steps", "8", "--json");
    assertEquals(again.status, 0, again.err);
    assertStringIncludes(again.err, "note: resuming with --steps 8 (was 6)");
    const summary = JSON.parse(again.out);
    assertEquals([summary.out, summary.steps, summary.ended], [out, 8, "steps"]);
    assert(summary.best.wer <= wer! && summary.best.accuracy === null && summary.audio_seconds > 0);
    assertEquals((await loadRunState(`${out}/state`))!.step, 8);
    assertEquals((await readMetrics(`${out}/metrics.jsonl`)).at(-1)?.step, 8);

    const quiet = await run("train", "--out", out, "--resume", "--steps", "9", "--quiet");
    assertEquals([quiet.status, quiet.err], [0, ""], quiet.err);
    // Its weights, for intents: another head.
    const slu = `${dir}/slu`;
    const intents = await run(
      ...["train", "--model", out, "--data", `${dir}/corpus`, "--out", slu, "--task", "slu", "--steps", "2"],
      ...["--dropout", "0.1", "--mask-prob", "0.1", "--save-every", "1"],
    );
    assertEquals(intents.status, 0, intents.err);
    assertStringIncludes(intents.err, "note: the model gets a new head with random weights, for 2 classes");
    assertStringIncludes(intents.out, "best at step 2: accuracy ");
    const trained = (await readCheckpoint(slu)).config;
    assertEquals(trained.id2label, ["with_a", "without"]);
    assertEquals(regularizationOf(trained), regularizationOf(config));
    const resumed = await run("train", "--out", slu, "--resume", "--steps", "3");
    assertEquals(resumed.status, 0, resumed.err);
    assertEquals(await Deno.stat(`${slu}/vocab.json`).catch(() => null), null);

    // Another vocabulary, or --new-head: the head has random weights.
    const vocab: Record<string, number> = JSON.parse(await Deno.readTextFile(`${out}/vocab.json`));
    const size = Object.keys(vocab).length;
    await Deno.mkdir(`${dir}/vocab`);
    const { "<pad>": pad, ...others } = vocab;
    await Deno.writeTextFile(
      `${dir}/vocab/vocab.json`,
      JSON.stringify({ ...others, "[PAD]": pad, "Ü": size }),
    );
    await Deno.writeTextFile(`${dir}/vocab/tokenizer_config.json`, '{"pad_token":"[PAD]"}');
    const short = [
      "train",
      "--model",
      out,
      "--data",
      `${dir}/corpus`,
      "--dev-subset",
      "none",
      "--steps",
      "1",
    ];
    for (
      const [name, tokens, ...options] of [
        ["folder", size + 1, "--vocab", `${dir}/vocab`],
        ["other", size + 1, "--vocab", `${dir}/vocab/vocab.json`],
        ["anew", size, "--new-head"],
      ] as const
    ) {
      const other = await run(...short, "--out", `${dir}/${name}`, ...options);
      assertStringIncludes(
        other.err,
        `note: the model gets a new head with random weights, for ${tokens} tokens`,
      );
      const { config } = await readCheckpoint(`${dir}/${name}`);
      assertEquals([other.status, config.vocab_size], [0, tokens]);
      const written = JSON.parse(await Deno.readTextFile(`${dir}/${name}/vocab.json`));
      assertEquals(Object.keys(written).length, tokens);
      // Special tokens are those of the settings beside the vocabulary, also when the model is read again.
      assertEquals((await readVocabulary(`${dir}/${name}`)).padId, pad);
    }

    assertMistake(await run(...words), `Output folder is not empty: ${out}`);
    assertMistake(
      await run("train", "--out", out, "--resume", "--freeze-feature-encoder"),
      "Cannot resume " + out + " as --freeze-feature-encoder must be as it was: not given",
    );
  }));

Deno.test("a loss that is not finite ends train with one line, with the state before it", () =>
  withCorpus(async (dir) => {
    const words = ["train", "--out", `${dir}/out`, "--schedule", "constant", "--warmup", "0"];
    const recipe = ["--recipe", `${dir}/recipe.json`, "--max-grad-norm", "1e30", "--dev-subset", "none"];
    const failed = await run(...words, ...recipe, "--lr", "1e18");
    assertMistake(failed, "Cannot continue training as loss and gradient must be finite: step ");
    const state = (await loadRunState(`${dir}/out/state`))!;
    assert(failed.err.includes(state.path), failed.err);
    assert([...state.tensors.values()].every(({ data }) => data.every(Number.isFinite)));
  }));

Deno.test("mistakes with train are one line each", () =>
  withCorpus(async (dir) => {
    const recipe = `${dir}/recipe.json`;
    const train = (...words: string[]) => run("train", "--recipe", recipe, ...words);
    assertMistake(await train(), "train requires --out");
    assertMistake(await train("--out", `${dir}/config.json`), "as the output must be a folder");
    assertMistake(await train("--out", `${dir}/a`, "--model", "x"), "takes either --model or --config");
    assertMistake(await run("train", "--out", `${dir}/a`), "takes either --model or --config");
    assertMistake(await train("--out", `${dir}/a`, "--data", `${dir}/none`), "there is no such folder");
    assertMistake(await train("--out", `${dir}/a`, "--subset", "tset"), "its subsets are");
    assertMistake(await train("--out", `${dir}/a`, "--config", `${dir}/none.json`), "there is no file");
    assertMistake(
      await train("--out", `${dir}/a`, "--steps", "2", "--warmup", "5"),
      "up to the 2 steps: found 5",
    );
    await assertRejects(() => Deno.stat(`${dir}/a`), Deno.errors.NotFound);
    for (
      const [content, message] of [
        ["{", "Cannot read " + recipe + " as a recipe is JSON"],
        ["[]", "as a recipe is an object of options: []"],
        [
          '{"stepz": 3}',
          `train has no option --stepz: did you mean --steps? (in ${recipe})`,
        ],
        ['{"steps": 1.5}', "--steps must be a whole number: got 1.5"],
        ['{"freeze-feature-encoder": 1}', "freeze-feature-encoder must be true or false: 1"],
        ['{"resume": true}', "it cannot have this option: resume"],
      ] as const
    ) {
      await Deno.writeTextFile(recipe, content);
      assertMistake(await train("--out", `${dir}/a`), message);
    }
    assertMistake(await run("train", "--recipe", `${dir}/none.json`), "Recipe not found: ");
    const corpus = ["--config", `${dir}/config.json`, "--data", `${dir}/corpus`];
    await put(dir, { "corpus/fed.wav": "not audio" });
    const broken = await run("train", ...corpus, "--out", `${dir}/b`);
    assertMistake(broken, `${dir}/corpus/fed.wav`);
    await put(dir, { "corpus/fed.wav": encodeWav(new Int16Array(30), 16_000) });
    assertMistake(
      await run("train", ...corpus, "--out", `${dir}/c`),
      "as an utterance must be one frame long",
    );
    assertMistake(
      await run("train", ...corpus, "--out", path("deno.json/x")),
      "as the output must be a folder",
    );
  }));

Deno.test("subsets without a transcript are found before training", () =>
  withCorpus(async (dir) => {
    const words = ["train", "--recipe", `${dir}/recipe.json`, "--lr", "0.003", "--steps", "1"];
    const rows = (text: string | undefined) =>
      ["deaf", "ace"].map((word) => JSON.stringify({ audio: `${word}.wav`, text })).join("\n");
    await put(dir, { "corpus/dev.jsonl": rows("!"), "corpus/test.jsonl": rows("…") });
    const [out, why] = [`${dir}/out`, "as some transcript must have words: all 2 are empty"];
    assertMistake(await run(...words, "--out", out), `Cannot evaluate on the dev utterances ${why}`);
    assertEquals(await Deno.stat(`${out}/state`).catch(() => null), null);
    const model = ["--model", out, "--data", `${dir}/corpus`];
    assertEquals((await run(...words, "--out", out, "--dev-subset", "none")).status, 0);
    assertMistake(await run("eval", ...model), `Cannot evaluate on the test utterances ${why}`);
    const pruned = ["--dev-subset", "none", "--out", `${dir}/pruned`];
    assertMistake(await run("prune", ...model, ...pruned), `Cannot evaluate on the test utterances ${why}`);
    await put(dir, { "corpus/dev.jsonl": rows(undefined) });
    const missing = await run(...words, "--out", `${dir}/missing`);
    assertMistake(missing, "corpus/dev.jsonl:1 as speech recognition needs a transcript: deaf.wav has none");
    assertEquals(await Deno.stat(`${dir}/missing/state`).catch(() => null), null);
  }));
