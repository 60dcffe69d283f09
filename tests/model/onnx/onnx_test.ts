// Files of encodeOnnx are run by onnxruntime, and its logits are compared with those of SpeechModel.
import { assert, assertEquals, assertThrows } from "@std/assert";
import ort from "npm:onnxruntime-node@1.30.0";
import { encodeOnnx, type OnnxDtype, type OnnxOpset, OPSETS } from "../../../model/onnx/encode_onnx.ts";
import { concatBytes } from "../../../model/checkpoint/safetensors_encode.ts";
import { SpeechModel } from "../../../model/speech_model.ts";
import { uniformAt } from "../../../random/philox.ts";
import { testGpu } from "../../gpu.ts";
import { type TinyModel, tinyModels } from "./models.ts";

/** Shortest, usual, and beyond WavLM's largest distance with a bucket of its own. */
const SAMPLES = [400, 3333, 8013];

const modelOf = (wanted: string) => tinyModels.find(({ name }) => name === wanted)!;

/** Largest difference by element type of the weights, as a share of the largest logit. */
const BOUNDS = [["f32", 1e-4], ["f16", 1e-2]] as const;

function openSession(
  model: TinyModel,
  opset: OnnxOpset,
  dtype: OnnxDtype = "f32",
): Promise<ort.InferenceSession> {
  const { parts } = encodeOnnx(model, { opset, dtype, attentionMask: model.masked });
  return ort.InferenceSession.create(concatBytes([...parts()]), { logSeverityLevel: 3 });
}

/** Utterances of different lengths, padded with zeros. */
function batchOf(
  utterances: number,
  samples: number,
): { data: Float32Array<ArrayBuffer>; lengths: number[] } {
  const lengths = Array.from(
    { length: utterances },
    (_, b) => Math.max(400, Math.floor(samples / (1 + b / 2))),
  );
  const data = new Float32Array(utterances * samples);
  lengths.forEach((length, b) => {
    for (let i = 0; i < length; i++) {
      data[b * samples + i] = 2 * uniformAt(i, { seed: b, purpose: "audio", step: 0 }) - 1;
    }
  });
  return { data, lengths };
}

/** Largest difference of the logits, as a share of the largest logit. */
async function difference(
  ours: SpeechModel,
  session: ort.InferenceSession,
  masked: boolean,
  utterances: number,
  samples: number,
): Promise<number> {
  const { data, lengths } = batchOf(utterances, samples);
  const dims = [utterances, samples];
  const mask = data.map((_, i) => i % samples < lengths[Math.floor(i / samples)]! ? 1 : 0);
  const theirs = await session.run({
    input_values: new ort.Tensor("float32", data, dims),
    ...masked && { attention_mask: new ort.Tensor("int64", BigInt64Array.from(mask, BigInt), dims) },
  });
  const { gpu } = ours;
  using x = gpu.tensor(data, dims);
  using logits = gpu.scope(() => ours.forward({ samples: x, lengths: masked ? lengths : null }).logits!);
  const expected = await logits.read();
  const found = theirs["logits"]!;
  assertEquals([...found.dims], [...logits.shape]);
  const values = found.data as Float32Array;
  assertEquals(values.length, expected.length);
  const largest = Math.max(...[...expected].map(Math.abs));
  assert(largest > 0.1, "logits that differ");
  return Math.max(...[...values].map((value, i) => Math.abs(value - expected[i]!))) / largest;
}

for (const model of tinyModels) {
  Deno.test(`onnxruntime gives the logits of ${model.name}, ${model.head}`, async () => {
    const gpu = await testGpu();
    using ours = new SpeechModel(gpu, model);
    for (const opset of OPSETS) {
      for (const [dtype, bound] of BOUNDS) {
        const session = await openSession(model, opset, dtype);
        assertEquals(
          session.inputNames,
          model.masked ? ["input_values", "attention_mask"] : ["input_values"],
        );
        assertEquals(session.outputNames, ["logits"]);
        for (const samples of SAMPLES) {
          for (const utterances of [1, 3]) {
            const share = await difference(ours, session, model.masked, utterances, samples);
            assert(share < bound, `${dtype}, opset ${opset}, ${utterances} × ${samples} samples: ${share}`);
          }
        }
        await session.release();
      }
    }
  });
}

Deno.test("no model has the same logits with another weight", async () => {
  const gpu = await testGpu();
  const model = modelOf("WavLM, compact");
  const session = await openSession(model, 17);
  for (
    const name of [
      "encoder.layers.1.attention.out_proj.bias",
      "encoder.layers.2.feed_forward.output_dense.bias",
      "encoder.layers.2.attention.gru_rel_pos_linear.bias",
      "encoder.layers.0.attention.rel_attn_embed.weight",
      "encoder.pos_conv_embed.conv.weight_g",
    ]
  ) {
    const weight = model.tensors.get(name)!;
    const changed = { ...weight, data: weight.data.map((value, i) => value + 0.5 * (i % 5)) };
    using ours = new SpeechModel(gpu, { ...model, tensors: new Map([...model.tensors, [name, changed]]) });
    assert(await difference(ours, session, model.masked, 1, 3333) > 1e-3, name);
  }
  await session.release();
});

Deno.test("every node and constant of a graph is read", () => {
  const dtypes = ["f32", "f16", "q8"] as const;
  for (const model of tinyModels) {
    for (const [opset, dtype] of OPSETS.flatMap((opset) => dtypes.map((dtype) => [opset, dtype] as const))) {
      const { graph } = encodeOnnx(model, { opset, dtype, attentionMask: model.masked });
      const read = new Set([...graph.nodes.flatMap(({ inputs }) => inputs), "logits"]);
      const unread = [
        ...graph.nodes.filter(({ outputs }) => !outputs.every((output) => read.has(output))),
        ...graph.initializers.filter(({ name }) => !read.has(name)),
      ];
      assertEquals(unread.map(({ name }) => name), [], `${model.name}, opset ${opset}, ${dtype}`);
      const names = graph.nodes.flatMap(({ outputs }) => outputs);
      assertEquals(new Set(names).size, names.length);
    }
  }
});

Deno.test("groups of a convolution have multiples of 4 channels, as onnxruntime-web needs", () => {
  for (const model of tinyModels) {
    const { nodes, initializers } = encodeOnnx(model, { attentionMask: model.masked }).graph;
    const grouped = nodes.filter(({ attributes: { group = 1 } }) => group !== 1);
    for (const { inputs: [, weight] } of grouped) {
      const [, channels] = initializers.find(({ name }) => name === weight)!.shape;
      assertEquals(channels! % 4, 0, model.name);
    }
  }
});

Deno.test("a file has the size that it states, and unchanged weights are not copied", () => {
  const model = modelOf("wav2vec2");
  const file = encodeOnnx(model);
  const parts = [...file.parts()];
  assertEquals(parts.reduce((sum, { length }) => sum + length, 0), file.bytes);
  const weight = model.tensors.get("feature_extractor.conv_layers.0.conv.weight")!.data;
  assert(parts.some(({ buffer }) => buffer === weight.buffer));
});

Deno.test("a model with a weight that the graph does not use is refused", () => {
  const model = modelOf("wav2vec2");
  const name = "encoder.layers.0.adapter_layer.norm.weight";
  const tensors = new Map([...model.tensors, [name, { shape: [1], data: new Float32Array(1) }]]);
  assertThrows(
    () => encodeOnnx({ ...model, tensors }, { name: "a/model" }),
    RangeError,
    `Cannot export a/model as ONNX as each weight must have a place in the graph: ${name}`,
  );
});

Deno.test("a model beyond the limit of a file has its weights in other files", async () => {
  const model = modelOf("WavLM, compact");
  const gpu = await testGpu();
  using ours = new SpeechModel(gpu, model);
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  const file = encodeOnnx(model, { attentionMask: model.masked, maxBytes: 40_000 });
  assertEquals(file.data.map(({ name }) => name), ["model.onnx_data", "model.onnx_data_1"]);
  assert(file.data.every(({ bytes }) => bytes <= 40_000));
  for (const { name, bytes, parts } of [file, ...file.data]) {
    const content = concatBytes([...parts()]);
    assertEquals(content.length, bytes);
    await Deno.writeFile(`${folder}/${name}`, content);
  }
  const session = await ort.InferenceSession.create(`${folder}/model.onnx`, { logSeverityLevel: 3 });
  const share = await difference(ours, session, model.masked, 3, 3333);
  assert(share < 1e-4, String(share));
  await session.release();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a model without a head is refused in one line", () => {
  assertThrows(
    () => encodeOnnx({ ...modelOf("wav2vec2"), head: "none" }, { name: "a/model" }),
    TypeError,
    "Cannot export a/model as it must have a CTC or classification head: it has no head",
  );
});
