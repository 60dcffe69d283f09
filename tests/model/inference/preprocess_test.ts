import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DEFAULT_PREPROCESSOR,
  featureExtractorIn,
  parsePreprocessorConfig,
  prepareBatch,
  type PreprocessorConfig,
} from "../../../model/inference/preprocess.ts";
import { loadModel } from "../../../model/inference/load_model.ts";
import { testGpu } from "../../gpu.ts";
import { parseSafetensors, toFloat32, toInt32 } from "../../../model/checkpoint/safetensors.ts";

const without: PreprocessorConfig = { ...DEFAULT_PREPROCESSOR, do_normalize: false };

Deno.test("prepareBatch agrees with the feature extractor of transformers", () => {
  const path = new URL("../../testdata/audio.safetensors", import.meta.url);
  const { tensors } = parseSafetensors(Deno.readFileSync(path), "audio.safetensors");
  const utterances = [toFloat32(tensors.get("audio_0")!), toFloat32(tensors.get("audio_1")!)];
  const expected = toFloat32(tensors.get("input_values")!);
  const { inputValues, samples, lengths } = prepareBatch(utterances, DEFAULT_PREPROCESSOR);
  assertEquals([lengths.length, samples], tensors.get("input_values")!.shape);
  assertEquals(lengths, [...toInt32(tensors.get("lengths")!)]);
  // The reference computes in float32: 1e-6 of values of a few units.
  inputValues.forEach((x, i) =>
    assert(Math.abs(x - expected[i]!) <= 1e-6 * Math.max(1, Math.abs(expected[i]!)), `${i}`)
  );
  assertEquals([...inputValues.subarray(samples + lengths[1]!)], new Array(samples - lengths[1]!).fill(0));
});

Deno.test("prepareBatch can keep the samples and pad with another value", () => {
  const utterances = [Float32Array.of(1, 2), Float32Array.of(5)];
  assertEquals([...prepareBatch(utterances, without).inputValues], [1, 2, 5, 0]);
  const padded = prepareBatch(utterances, { ...DEFAULT_PREPROCESSOR, padding_value: -3 });
  assertEquals(padded.inputValues[3], -3);
  // The mean excludes padding.
  assertEquals(padded.inputValues[2], 0);
});

Deno.test("prepareBatch turns silence into zeros", () => {
  assertEquals([...prepareBatch([new Float32Array(3).fill(0.25)], DEFAULT_PREPROCESSOR).inputValues], [
    0,
    0,
    0,
  ]);
});

Deno.test("prepareBatch does not change its input", () => {
  const utterance = Float32Array.of(1, 2, 3);
  prepareBatch([utterance], DEFAULT_PREPROCESSOR);
  assertEquals([...utterance], [1, 2, 3]);
});

Deno.test("prepareBatch refuses empty input", () => {
  const message = "Cannot prepare a batch as each utterance must have samples: ";
  assertThrows(() => prepareBatch([], without), RangeError, message + "there are none");
  const empty = [new Float32Array(1), new Float32Array(0)];
  assertThrows(() => prepareBatch(empty, without), RangeError, message + "utterance 1 is empty");
});

Deno.test("preprocessor_config.json is read as Hugging Face writes it", () => {
  const text = JSON.stringify({
    do_normalize: false,
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
    padding_value: 0.0,
    return_attention_mask: true,
    sampling_rate: 8000,
  });
  assertEquals(parsePreprocessorConfig(text, "p.json"), {
    do_normalize: false,
    return_attention_mask: true,
    sampling_rate: 8000,
    padding_value: 0,
  });
  assertEquals(parsePreprocessorConfig("{}", "p.json"), DEFAULT_PREPROCESSOR);
});

Deno.test("preprocessor_config.json is refused in one line that names the field", () => {
  const refused: [string, typeof Error, string][] = [
    ["{", SyntaxError, "Cannot read p.json as it must be JSON"],
    ["[]", SyntaxError, "Cannot read p.json as it must be an object: []"],
    ['{"do_normalize":1}', TypeError, "Cannot read p.json as do_normalize must be true or false: it is 1"],
    [
      '{"sampling_rate":0}',
      RangeError,
      "Cannot read p.json as sampling_rate must be a whole number from 1000 to 192000",
    ],
    ['{"padding_value":"0"}', TypeError, 'Cannot read p.json as padding_value must be a number: it is "0"'],
    [
      '{"feature_size":80}',
      RangeError,
      "Cannot read p.json as feature_size must be a whole number from 1 to 1: it is 80",
    ],
  ];
  for (const [text, type, message] of refused) {
    assertThrows(() => parsePreprocessorConfig(text, "p.json"), type, message);
  }
});

Deno.test("processor_config.json of transformers 5 contains the settings", async () => {
  const feature_extractor = { do_normalize: false, return_attention_mask: true, sampling_rate: 16_000 };
  const text = JSON.stringify({ feature_extractor, processor_class: "Wav2Vec2Processor" });
  const inner = featureExtractorIn(text, "processor_config.json")!;
  const { do_normalize, return_attention_mask } = parsePreprocessorConfig(inner, "processor_config.json");
  assertEquals([do_normalize, return_attention_mask], [false, true]);
  assertEquals(featureExtractorIn('{"processor_class":"Wav2Vec2Processor"}', "p.json"), undefined);
  assertThrows(
    () => featureExtractorIn('{"feature_extractor":[]}', "p.json"),
    TypeError,
    "Cannot read p.json as feature_extractor must be an object",
  );
  const folder = new URL("../../testdata/base", import.meta.url).pathname;
  const files: Record<string, Uint8Array<ArrayBuffer>> = {
    "processor_config.json": new TextEncoder().encode(text),
  };
  for (const name of ["config.json", "model.safetensors", "preprocessor_config.json"]) {
    const bytes = await Deno.readFile(`${folder}/${name}`).catch(() => null);
    if (bytes) files[name] = bytes;
  }
  const loaded = await loadModel({ files }, { gpu: await testGpu() });
  assertEquals([loaded.preprocessor.do_normalize, loaded.preprocessor.return_attention_mask], [false, true]);
  loaded.dispose();
});
