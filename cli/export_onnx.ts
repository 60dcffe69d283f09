import program from "../deno.json" with { type: "json" };
import { printable } from "../files/printable.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";
import type { OnnxDtype, OnnxFile, OnnxOpset } from "../model/onnx/encode_onnx.ts";
import { type OnnxSource, writeOnnxFolder } from "../model/onnx/write_onnx_folder.ts";
import { type Compared, compareWithOnnxruntime } from "./compare_onnxruntime.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";

/** Element types and operator set. */
export interface OnnxSettings {
  readonly dtypes: readonly OnnxDtype[];
  readonly opset: OnnxOpset;
}

/** Writes the folder of transformers.js, and runs its files in onnxruntime where that is installed. */
export async function exportOnnx(source: OnnxSource, folder: string, settings: OnnxSettings): Promise<void> {
  const { checkpoint, name } = source;
  const written = await writeWholeFolder(
    folder,
    (partial) => writeOnnxFolder(partial, source, { ...settings, producerVersion: program.version }),
  );
  if (checkpoint.head === "ctc" && !written.tokenizer) {
    note(`${printable(name)} has no vocab.json: the folder has no tokenizer`);
  }
  const files = written.files.map(({ name }) => `${folder}/onnx/${name}`);
  const compared = await compareWithOnnxruntime(checkpoint, files, written.inputs.length > 1)
    .catch((error) => void note(error.message));
  if (compared === null) {
    note("not run in onnxruntime, which is not installed: deno cache npm:onnxruntime-node@1");
  }
  written.files.forEach((file, i) => print(lineOf(folder, file, written.inputs, compared?.[i])));
}

function lineOf(
  folder: string,
  { name, bytes, data, graph }: OnnxFile,
  inputs: readonly string[],
  compared?: Compared,
): string {
  const megabytes = data.reduce((sum, { bytes }) => sum + bytes, bytes) / 1e6;
  return [
    `${folder}: onnx/${name}`,
    `${megabytes.toFixed(1)} MB`,
    ...data.length > 0 ? [`weights in ${data.map(({ name }) => name).join(", ")}`] : [],
    `${graph.nodes.length} nodes`,
    `inputs ${inputs.join(", ")}`,
    ...compared
      ? [
        `onnxruntime ${compared.version} differs by ${
          compared.difference.toExponential(1)
        } of the largest logit`,
      ]
      : [],
  ].join(", ");
}
