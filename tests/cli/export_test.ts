// `export` as a user runs it: the folder that it writes, and its errors.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Tokenizer } from "npm:@huggingface/tokenizers@0.2.0";
import ort from "npm:onnxruntime-node@1.30.0";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { parseTokenizer } from "../../model/decode/tokenizer.ts";
import { run, withModel } from "./run.ts";

const root = decodeURIComponent(new URL("../../", import.meta.url).pathname);
const commandsTiny = `${root}assets/commands-tiny`;

// Where `export` finds onnxruntime, as its note has it: with a lock file, Deno's cache has the package, but not the list of versions
// by which the range of `export` is resolved.
const versions = ["cache", "--quiet", "--no-lock", "--no-config", "npm:onnxruntime-node@1"];
await new Deno.Command(Deno.execPath(), { args: versions }).output();

const readJson = async (path: string) => JSON.parse(await Deno.readTextFile(path));

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Names of the files below a folder, sorted. */
async function filesOf(folder: string, below = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    if (isDirectory) names.push(...await filesOf(folder, `${below}${name}/`));
    else names.push(below + name);
  }
  return names.sort();
}

Deno.test("export writes the folder of transformers.js", async () => {
  await withFolder(async (folder) => {
    const out = `${folder}/onnx`;
    await Deno.mkdir(out);
    const { status, out: printed, err } = await run("export", commandsTiny, "--to", "onnx", "--out", out);
    assertEquals([status, err], [0, []]);
    const line =
      `${out}: onnx/model.onnx, 2.0 MB, 188 nodes, inputs input_values, onnxruntime 1.30.0 differs by `;
    assertEquals(printed.length, 1);
    assert(printed[0]!.startsWith(line), printed[0]);
    const share = Number(/ (\S+) of the largest logit$/.exec(printed[0]!)![1]);
    assert(share < 1e-4, printed[0]);
    assertEquals(await filesOf(folder), [
      "onnx/config.json",
      "onnx/onnx/model.onnx",
      "onnx/preprocessor_config.json",
      "onnx/tokenizer.json",
      "onnx/tokenizer_config.json",
      "onnx/vocab.json",
    ]);
    const config = await readJson(`${out}/config.json`);
    assertEquals([config.model_type, config["transformers.js_config"]], ["wav2vec2", { dtype: "fp32" }]);
    const { feature_extractor_type } = await readJson(`${out}/preprocessor_config.json`);
    assertEquals(feature_extractor_type, "Wav2Vec2FeatureExtractor");
    assertEquals(await readJson(`${out}/vocab.json`), await readJson(`${commandsTiny}/vocab.json`));
    const session = await ort.InferenceSession.create(`${out}/onnx/model.onnx`);
    const input_values = new ort.Tensor("float32", new Float32Array(16_000), [1, 16_000]);
    assertEquals((await session.run({ input_values }))["logits"]!.dims, [1, 49, 31]);
    await session.release();
  });
});

Deno.test("export writes a file for each element type", async () => {
  await withFolder(async (folder) => {
    const settingsOf = async (dtypes: string) => {
      const out = `${folder}/${dtypes}`;
      const words = ["--to", "onnx", "--opset", "20", "--dtype", dtypes, "--out", out];
      const { status, out: printed } = await run("export", `${commandsTiny}/intents`, ...words);
      assertEquals(status, 0);
      const names = printed.map((line) => /onnx\/\w+\.onnx/.exec(line)![0]);
      assertEquals((await filesOf(out)).filter((name) => name.endsWith(".onnx")), [...names].sort());
      return [names, (await readJson(`${out}/config.json`))["transformers.js_config"]];
    };
    const [f32, f16, q8] = ["onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_quantized.onnx"];
    assertEquals(await settingsOf("f32,f16,q8"), [[f32, f16, q8], undefined]);
    assertEquals(await settingsOf("q8, f16"), [[q8, f16], { dtype: "fp16" }]);
    assertEquals(await settingsOf("q8"), [[q8], { dtype: "q8" }]);
  });
});

Deno.test("a classifier has no tokenizer, and its graph has a mask where its preprocessing has one", async () => {
  await withFolder(async (folder) => {
    const model = `${folder}/model`;
    await Deno.mkdir(model);
    for (const name of ["config.json", "model.safetensors", "preprocessor_config.json"]) {
      await Deno.copyFile(`${commandsTiny}/intents/${name}`, `${model}/${name}`);
    }
    const settings = { ...await readJson(`${model}/preprocessor_config.json`), return_attention_mask: true };
    await Deno.writeTextFile(`${model}/preprocessor_config.json`, JSON.stringify(settings));
    const out = `${folder}/out`;
    const { status, out: [line] } = await run("export", model, "--to", "onnx", "--opset", "20", "-o", out);
    assertEquals(status, 0);
    assertStringIncludes(line!, "inputs input_values, attention_mask");
    assertEquals(await filesOf(out), ["config.json", "onnx/model.onnx", "preprocessor_config.json"]);
  });
});

Deno.test("a WavLM model with a CTC head goes by a type that the pipeline knows", async () => {
  await withModel(() => ({ model_type: "wavlm", architectures: ["WavLMForCTC"] }), async (model, folder) => {
    const { status, err } = await run("export", model, "--to", "onnx", "--out", `${folder}/out`);
    assertEquals([status, err], [0, []]);
    const { model_type, architectures } = await readJson(`${folder}/out/config.json`);
    assertEquals([model_type, architectures], ["wav2vec2", ["Wav2Vec2ForCTC"]]);
  });
});

Deno.test("the tokenizer decodes as ours, lower case included", async () => {
  await withModel((config) => config, async (model, folder) => {
    const vocab = await Deno.readTextFile(`${model}/vocab.json`);
    for (const do_lower_case of [false, true]) {
      const tokenizerConfig = JSON.stringify({ do_lower_case });
      await Deno.writeTextFile(`${model}/tokenizer_config.json`, tokenizerConfig);
      const out = `${folder}/out-${do_lower_case}`;
      assertEquals((await run("export", model, "--to", "onnx", "--out", out)).status, 0);
      const theirs = new Tokenizer(
        await readJson(`${out}/tokenizer.json`),
        await readJson(`${out}/tokenizer_config.json`),
      );
      const ours = parseTokenizer({ vocab, tokenizerConfig });
      const ids = [..."HELLO WORLD"].flatMap((letter) => {
        const [id] = letter === " "
          ? [ours.delimiterId!]
          : ours.encode(do_lower_case ? letter.toLowerCase() : letter);
        return [id!, id!, ours.padId];
      });
      const text = do_lower_case ? "hello world" : "HELLO WORLD";
      assertEquals(ours.decode(ids), text);
      assertEquals(theirs.decode(ids, { skip_special_tokens: true }), text);
    }
  });
});

Deno.test("the tokenizer joins phonemes with spaces, as ours", async () => {
  const vocab = { "<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "dʒ": 4, "aː": 5, "n": 6 };
  await withModel(() => ({ vocab_size: 7 }), async (model, folder) => {
    const text = JSON.stringify(vocab);
    await Deno.writeTextFile(`${model}/vocab.json`, text);
    const added = { "0": { content: "<pad>", special: true } };
    const tokenizerConfig = JSON.stringify({ phone_delimiter_token: " ", added_tokens_decoder: added });
    await Deno.writeTextFile(`${model}/tokenizer_config.json`, tokenizerConfig);
    assertEquals((await run("export", model, "--to", "onnx", "--out", `${folder}/out`)).status, 0);
    const theirs = new Tokenizer(
      await readJson(`${folder}/out/tokenizer.json`),
      await readJson(`${folder}/out/tokenizer_config.json`),
    );
    const ids = [4, 4, 5, 0, 5, 6, 0];
    assertEquals(parseTokenizer({ vocab: text, tokenizerConfig }).decode(ids), "dʒ aː aː n");
    assertEquals(theirs.decode(ids, { skip_special_tokens: true }), "dʒ aː aː n");
  });
});

Deno.test("mistakes are one line with status 2, and leave nothing behind", async () => {
  await withModel(() => ({ architectures: ["Wav2Vec2Model"] }), async (model, folder) => {
    const full = `${folder}/full`;
    await Deno.mkdir(full);
    await Deno.writeTextFile(`${full}/file`, "");
    const before = await filesOf(folder);
    const onnx = (model: string, ...words: string[]) => ["export", model, "--to", "onnx", ...words];
    const cases: readonly (readonly [words: string[], message: string])[] = [
      [onnx(model, "--out", `${folder}/out`), "must have a CTC or classification head"],
      [onnx(commandsTiny, "--out", full), `--out must be a new or empty folder: ${full} has files`],
      [onnx(commandsTiny, "--out", `${full}/file`), "is, or is below, a file"],
      [onnx(commandsTiny, "--out", `${full}/file/below`), "is, or is below, a file"],
      [onnx(commandsTiny, "--out", "/proc/none/out"), "Cannot make /proc/none/out"],
      [onnx(commandsTiny, "--opset", "13"), "--opset must be one of 17, 20: got 13"],
      [onnx(commandsTiny, "--dtype", "f32,int4"), "--dtype must be some of f32, f16, q8: got int4"],
      [onnx(commandsTiny, "--dtype", "f32,"), "--dtype must be some of f32, f16, q8: got "],
      [["export", commandsTiny, "--to", "tflite"], "--to must be one of onnx, transformers: got tflite"],
      [["export", commandsTiny], "export requires --to"],
      [["export", "--to", "onnx"], "export takes one MODEL: got 0"],
      [onnx(`${folder}/missing`), "Cannot load"],
    ];
    for (const [words, message] of cases) {
      const { status, err } = await run(...words);
      assertEquals(status, 2, message);
      assertEquals(err.length, 1, err.join("\n"));
      assertStringIncludes(err[0]!, message);
      assert(!err[0]!.includes("\n"));
    }
    assertEquals(await filesOf(folder), before);
  });
});

Deno.test("export --to transformers writes Hugging Face's layout of a file of DPHuBERT", async () => {
  await withFolder(async (folder) => {
    const file = `${root}tests/testdata/torch/dphubert.pth`;
    const read = await readCheckpoint(file);
    for (const dtype of ["f32", "f16"]) {
      const out = `${folder}/${dtype}`;
      const { status, out: printed, err } = await run(
        "export",
        file,
        "--to",
        "transformers",
        "-o",
        out,
        "--dtype",
        dtype,
      );
      assertEquals([status, err], [0, []]);
      assert(/: model\.safetensors, 0\.0 MB, 73 tensors, /.test(printed[0]!), printed[0]);
      assertEquals(await filesOf(out), [
        "config.json",
        "model.safetensors",
        "modeling_espalier.py",
        "preprocessor_config.json",
      ]);
      const again = await readCheckpoint(out);
      assertEquals(again.config.use_attention, [true, false, true, true]);
      assertEquals([...again.tensors.keys()], [...read.tensors.keys()]);
      if (dtype === "f32") assertEquals([...again.tensors], [...read.tensors]);
      const names = again.layoutOnDisk.tensors.map(({ name }) => name);
      assert(names.every((name) => /^(hubert\.|lm_head\.)/.test(name)), names.join());
    }
  });
});

Deno.test("export writes the folder that transformers loads, by a Python file or padded", async () => {
  await withFolder(async (folder) => {
    const compact = `${root}assets/commands-tiny-compact`;
    const small = await run(
      "export",
      compact,
      "--to",
      "transformers",
      "--dtype",
      "f16",
      "-o",
      `${folder}/small`,
    );
    assertEquals(small.out, [
      `${folder}/small: model.safetensors, 0.6 MB, 71 tensors, loaded by modeling_espalier.py (trust_remote_code=True)`,
    ]);
    assertEquals(await filesOf(`${folder}/small`), [
      "README.md",
      "config.json",
      "espalier.json",
      "model.safetensors",
      "modeling_espalier.py",
      "preprocessor_config.json",
      "tokenizer_config.json",
      "vocab.json",
    ]);
    const padded = await run("export", compact, "--to", "transformers", "--pad", "-o", `${folder}/padded`);
    assertEquals([padded.status, padded.err], [0, []]);
    const { num_attention_heads, intermediate_size, auto_map } = await readJson(
      `${folder}/padded/config.json`,
    );
    assertEquals([num_attention_heads, intermediate_size, auto_map], [4, 292, undefined]);
    const text = async (model: string) =>
      (await run("transcribe", "--model", model, `${root}assets/samples/radio.flac`)).out[0];
    assertEquals(await text(`${folder}/padded`), await text(compact));
  });
});

Deno.test("options of another format are refused in one line", async () => {
  await withFolder(async (folder) => {
    for (
      const [options, message] of [
        [["--to", "onnx", "--pad"], "--pad is for --to transformers"],
        [["--to", "transformers", "--opset", "20"], "--opset is for --to onnx"],
        [
          ["--to", "transformers", "--dtype", "q8"],
          "--dtype must be f32 or f16 for --to transformers: got q8",
        ],
      ] as const
    ) {
      const { status, err } = await run("export", commandsTiny, ...options, "--out", `${folder}/out`);
      assertEquals([status, err], [2, [message]]);
    }
    assertEquals(await filesOf(folder), []);
  });
});
