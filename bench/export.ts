/**
 * Measures the element types of `export --to onnx`: the size of wav2vec2-base, its time in onnxruntime on one core, and the word
 * error rates of the embedded models, computed by onnxruntime.
 *
 * @module
 */

import type { InferenceSession, TypedTensor } from "npm:onnxruntime-node@1.30.0";
import { commandsCorpus } from "../cli/commands_corpus.ts";
import { EMBEDDED_COMPACT, EMBEDDED_DENSE } from "../cli/embedded.ts";
import { makeRandomModel } from "../cli/random_model.ts";
import { loadAudio } from "../data/audio/audio.ts";
import { loadCorpus } from "../data/corpus/load_corpus.ts";
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { folderReader } from "../model/checkpoint/weight_files.ts";
import { greedyDecode } from "../model/decode/greedy.ts";
import { parseTokenizer } from "../model/decode/tokenizer.ts";
import { type ErrorRate, errorRate, wordEdits } from "../model/inference/error_rate.ts";
import { prepareBatch, readPreprocessor } from "../model/inference/preprocess.ts";
import type { OnnxDtype } from "../model/onnx/encode_onnx.ts";
import { writeOnnxFolder } from "../model/onnx/write_onnx_folder.ts";
import { alternate, medianOf, type Sample } from "./alternate.ts";
import { BASE, SECONDS } from "./compact_cases.ts";
import { uniform } from "./inputs.ts";
import type { TitledTable } from "./record.ts";

const DTYPES: readonly OnnxDtype[] = ["f32", "f16", "q8"];
const VERSION = "1.30.0";

/** What a type costs and how well it computes. */
export interface ExportCost {
  readonly dtype: OnnxDtype;
  /** Bytes of wav2vec2-base. */
  readonly bytes: number;
  /** Runs of it on one core. */
  readonly samples: readonly Sample[];
  /** Word error rates of the embedded dense and compact model. */
  readonly dense: ErrorRate;
  readonly compact: ErrorRate;
}

/** Costs of all types. */
export interface ExportResult {
  /** Version of onnxruntime. */
  readonly onnxruntime: string;
  readonly costs: readonly ExportCost[];
}

/** Measures. @param rounds Runs of each type. @param progress Receives a message before each step. */
export async function measureExport(
  rounds: number,
  progress: (message: string) => void,
): Promise<ExportResult> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-bench-" });
  try {
    progress("wav2vec2-base: export");
    await makeRandomModel({ config: BASE.pathname, out: `${folder}/model`, seed: 0, head: "ctc" });
    const files = await writeFiles(`${folder}/base`, `${folder}/model`);
    progress("wav2vec2-base: runs in onnxruntime");
    const sessions = await Promise.all(files.map(({ path }) => sessionOf(path)));
    const audio = uniform(SECONDS * 16_000, 1);
    const samples = await alternate(sessions.map((session) => () => logitsOf(session, audio)), rounds);
    for (const session of sessions) await session.release();
    const rates = async (name: string, model: string) => {
      const exported = await writeFiles(`${folder}/${name}`, model);
      return await Promise.all(exported.map(({ path }) => {
        progress(`${name}: transcribes`);
        return wordErrors(path, model);
      }));
    };
    const [dense, compact] = [await rates("dense", EMBEDDED_DENSE), await rates("compact", EMBEDDED_COMPACT)];
    return {
      onnxruntime: VERSION,
      costs: DTYPES.map((dtype, i) => ({
        ...{ dtype, bytes: files[i]!.bytes, samples: samples[i]!, dense: dense[i]!, compact: compact[i]! },
      })),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function writeFiles(folder: string, model: string): Promise<{ path: string; bytes: number }[]> {
  const checkpoint = await readCheckpoint(model);
  const source = { checkpoint, read: folderReader(model), name: model };
  const { files } = await writeOnnxFolder(folder, source, { dtypes: DTYPES });
  return files.map(({ name, bytes }) => ({ path: `${folder}/onnx/${name}`, bytes }));
}

/** A session on one core. */
async function sessionOf(path: string): Promise<InferenceSession> {
  const { InferenceSession } = (await import("npm:onnxruntime-node@1.30.0")).default;
  return await InferenceSession.create(path, { intraOpNumThreads: 1, interOpNumThreads: 1 });
}

async function logitsOf(session: InferenceSession, audio: Float32Array): Promise<TypedTensor<"float32">> {
  const { Tensor } = (await import("npm:onnxruntime-node@1.30.0")).default;
  const { logits } = await session.run({ input_values: new Tensor("float32", audio, [1, audio.length]) });
  return logits as TypedTensor<"float32">;
}

/** Word error rate of a model file on the test subset of the embedded corpus, an utterance at a time. */
async function wordErrors(path: string, model: string): Promise<ErrorRate> {
  const text = (file: string) => Deno.readTextFile(`${model}/${file}`).catch(() => undefined);
  const tokenizer = parseTokenizer({ vocab: (await text("vocab.json"))! });
  const preprocessor = await readPreprocessor(text, model);
  const session = await sessionOf(path);
  const utterances = await loadCorpus(await commandsCorpus(), { subset: "test" });
  const counts = [];
  for (const { audio, text: reference } of utterances) {
    const { inputValues } = prepareBatch([(await loadAudio(audio)).samples], preprocessor);
    const { data, dims } = await logitsOf(session, inputValues);
    counts.push(wordEdits(reference!, greedyDecode(data, dims[1]!, tokenizer).text));
  }
  await session.release();
  return errorRate(counts);
}

/** The costs as a table: times as shares of f32's. */
export function exportTables({ onnxruntime, costs }: ExportResult): TitledTable[] {
  const [single] = costs as readonly [ExportCost, ...ExportCost[]];
  const percent = (share: number, places: number) => `${(100 * share).toFixed(places)} %`;
  return [{
    title:
      `wav2vec2-base with random weights, and the error rates of the embedded models, onnxruntime-node ` +
      `${onnxruntime}, medians of ${single.samples.length} alternating runs over ${SECONDS} s of audio`,
    head: ["`--dtype`", "size", "CPU time", "WER, dense", "WER, compact"],
    rows: costs.map(({ dtype, bytes, samples, dense, compact }) => [
      ...[`\`${dtype}\``, `${(bytes / 1e6).toFixed(1)} MB`],
      percent(medianOf(samples, "cpu") / medianOf(single.samples, "cpu"), 0),
      ...[percent(dense.value, 2), percent(compact.value, 2)],
    ]),
  }];
}
