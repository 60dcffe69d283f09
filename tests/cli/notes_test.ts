import { assertEquals, assertStringIncludes } from "@std/assert";
import { encodeConfig } from "../../model/config_encode.ts";
import { parseConfig } from "../../model/config.ts";
import { encodeCheckpoint } from "../../model/checkpoint/write.ts";
import { randomCheckpoint } from "../../model/random.ts";
import { put } from "../data/folder.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";
import { run, withCorpus } from "../train/tone_corpus.ts";

/** A model whose config contradicts its weights, which is a note. */
function noted(name: keyof typeof TINY_MODELS): Record<string, Uint8Array<ArrayBuffer> | string> {
  const checkpoint = randomCheckpoint(parseConfig(JSON.stringify(TINY_MODELS[name].config)), 1);
  const tokens = ["<pad>", ..."ABCDEFG|"].map((token, id) => [token, id]);
  return {
    "config.json": encodeConfig({ ...checkpoint.config, conv_bias: true }),
    "model.safetensors": encodeCheckpoint(checkpoint),
    "vocab.json": JSON.stringify(Object.fromEntries(tokens)),
  };
}

Deno.test("every command that reads a model prints the notes on its files", () =>
  withCorpus(async (dir) => {
    for (const [folder, name] of [["asr", "wav2vec2 base"], ["slu", "wav2vec2 intents"]] as const) {
      await put(
        dir,
        Object.fromEntries(Object.entries(noted(name)).map(([file, x]) => [`${folder}/${file}`, x])),
      );
    }
    const [asr, data, audio] = [`${dir}/asr`, `${dir}/corpus`, `${dir}/corpus/abc.wav`];
    for (
      const words of [
        ["transcribe", "-m", asr, audio],
        ["classify", "-m", `${dir}/slu`, audio],
        ["extract", "-m", asr, "-o", `${dir}/states.safetensors`, audio],
        ["eval", "-m", asr, "--data", data, "--subset", "dev"],
        ["inspect", asr],
        ["export", asr, "--to", "onnx", "--out", `${dir}/onnx`],
        [
          "train",
          "-m",
          asr,
          "--data",
          data,
          "--steps",
          "2",
          "--batch-seconds",
          "1.5",
          "--out",
          `${dir}/trained`,
          "--dry-run",
        ],
        [
          "prune",
          "-m",
          asr,
          "--data",
          data,
          "--steps",
          "2",
          "--batch-seconds",
          "1.5",
          "--out",
          `${dir}/out`,
          "--dry-run",
        ],
      ]
    ) {
      const { status, out, err } = await run(...words);
      assertEquals(status, 0, err);
      assertStringIncludes(
        words[0] === "inspect" ? out : err,
        "note: conv_bias is true in config.json, but the weights lack biases",
        words.join(" "),
      );
    }
  }));
