import { assert, assertRejects } from "@std/assert";
import { type CheckpointFiles, readCheckpoint } from "../../../model/checkpoint/read.ts";
import { bytesOf, configBytes, f32, files, original, path, shards } from "./checkpoint_files.ts";

const NORM = "wav2vec2.encoder.layer_norm.bias";
const POSITION = "wav2vec2.encoder.pos_conv_embed.conv";

const REFUSED: [what: string, source: CheckpointFiles | string, error: typeof Error, message: string][] = [
  [
    "a missing tensor",
    files((entries) => void entries.delete(NORM)),
    TypeError,
    "Cannot load m/model.safetensors as encoder.layer_norm.bias [24] is required: it is missing",
  ],
  [
    "many missing tensors",
    files((entries) => new Map([...entries].slice(0, 60))),
    TypeError,
    "is missing, and 8 more",
  ],
  [
    "another shape",
    files((entries) => void entries.set(NORM, f32([4, 6]))),
    TypeError,
    "Cannot load m/model.safetensors as wav2vec2.encoder.layer_norm.bias must be [24]: it is [4, 6]",
  ],
  [
    "a dtype that is not a float",
    files((entries) => void entries.set(NORM, { dtype: "I32", shape: [24], data: new Uint8Array(96) })),
    TypeError,
    "Cannot load m/model.safetensors as weights must be F32, F16, BF16 or F64: wav2vec2.encoder.layer_norm.bias is I32",
  ],
  [
    "a weight that is NaN",
    files((entries) => void entries.set(NORM, f32([24], new Float32Array(24).fill(NaN, 5, 6)))),
    RangeError,
    "Cannot load m/model.safetensors as weights must be finite: wav2vec2.encoder.layer_norm.bias has NaN at index 5",
  ],
  [
    "an infinite weight",
    files((entries) => void entries.set(NORM, f32([24], new Float32Array(24).fill(-Infinity, 0, 1)))),
    RangeError,
    "has -Infinity at index 0",
  ],
  [
    "a tensor stored twice",
    files((entries) => void entries.set("encoder.layer_norm.bias", f32([24]))),
    SyntaxError,
    "each tensor must be stored once: wav2vec2.encoder.layer_norm.bias and encoder.layer_norm.bias are the same",
  ],
  [
    "a tensor of an extra layer",
    files(() => {}, { num_hidden_layers: 2 }),
    SyntaxError,
    "config.json has no place for a tensor: wav2vec2.encoder.layers.2.",
  ],
  [
    "a weight that is not split into norm and direction",
    files((entries) => {
      entries.delete(`${POSITION}.weight_g`);
      entries.delete(`${POSITION}.weight_v`);
      entries.set(`${POSITION}.weight`, f32([24, 6, 128]));
    }),
    RangeError,
    `weight norm must be stored as weight_g and weight_v: it has ${POSITION}.weight`,
  ],
  [
    "adapters of a post-norm model",
    files((entries) => void entries.set("wav2vec2.encoder.layers.0.adapter_layer.norm.bias", f32([24]))),
    SyntaxError,
    "config.json has no place for a tensor: wav2vec2.encoder.layers.0.adapter_layer.norm.bias",
  ],
  [
    "scales of another number of channels",
    files((entries) => void entries.set("feature_extractor.dummy_weight", f32([9]))),
    TypeError,
    "feature_extractor.dummy_weight must be [20]: it is [9]",
  ],
  [
    "a classifier over all layers without their weights",
    files((entries) => {
      entries.set("projector.weight", f32([2, 24]));
      entries.set("projector.bias", f32([2]));
      entries.set("classifier.weight", f32([2, 2]));
      entries.set("classifier.bias", f32([2]));
    }, {
      architectures: ["Wav2Vec2ForSequenceClassification"],
      use_weighted_layer_sum: true,
      classifier_proj_size: 2,
    }),
    TypeError,
    "layer_weights [4] is required: it is missing",
  ],
  [
    "a name with control characters",
    files((entries) => void entries.set("encoder.\n\u001b[2J", f32([1]))),
    SyntaxError,
    "encoder.",
  ],
  [
    "a truncated file",
    {
      name: "m",
      files: { "config.json": configBytes("base"), "model.safetensors": original("base").slice(0, 5000) },
    },
    SyntaxError,
    "Cannot read m/model.safetensors as safetensors as the header must lie within the file",
  ],
  [
    "no config",
    { files: { "model.safetensors": original("base") } },
    Error,
    "config.json is required: it is missing",
  ],
  [
    "no weights",
    { name: "m", files: { "config.json": configBytes("base") } },
    Error,
    "Cannot load m as model.safetensors or pytorch_model.bin is required: both are missing",
  ],
  [
    "a .bin file that is not PyTorch's",
    { name: "m", files: { "config.json": configBytes("base"), "pytorch_model.bin": new Uint8Array(9) } },
    SyntaxError,
    "Cannot read m/pytorch_model.bin as a PyTorch file as it must be a zip file or a pickle: it is neither",
  ],
  [
    "a missing shard",
    { name: "m", files: { ...shards(), "model-00002-of-00002.safetensors": undefined! } },
    Error,
    "lists a missing file: model-00002-of-00002.safetensors",
  ],
  [
    "a shard of another folder",
    {
      name: "m",
      files: {
        ...shards(),
        "model.safetensors.index.json": bytesOf('{"weight_map":{"a":"../model.safetensors"}}'),
      },
    },
    RangeError,
    'weight_map must list .safetensors or .bin files of the folder: it has "../model.safetensors"',
  ],
  [
    "an index with a wrong shard",
    {
      name: "m",
      files: {
        ...shards(),
        "model.safetensors.index.json": bytesOf('{"weight_map":{"a":"model-00001-of-00002.safetensors"}}'),
      },
    },
    SyntaxError,
    "model.safetensors.index.json lists a tensor of it that is missing: a",
  ],
  [
    "no folder",
    "/nonexistent/model",
    Error,
    "Cannot load /nonexistent/model as a model must be a folder or a .safetensors",
  ],
  [
    "another file",
    path("README.md"),
    Error,
    "a model must be a folder or a .safetensors, .bin, .pt or .pth file: it is another file",
  ],
  ["a folder without a model", path("."), Error, "config.json is required: it is missing"],
];

for (const [what, source, error, message] of REFUSED) {
  Deno.test(`readCheckpoint refuses ${what}`, async () => {
    const thrown = await assertRejects(() => readCheckpoint(source), error, message);
    assert(/^Cannot [\x20-\x7e]+ as [\x20-\x7e]+: [\x20-\x7e]+$/.test(thrown.message), thrown.message);
  });
}
