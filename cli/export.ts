import program from "../deno.json" with { type: "json" };
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { readerOf } from "../model/inference/model_source.ts";
import {
  MODEL_FILES,
  type OnnxDtype,
  type OnnxFile,
  type OnnxOpset,
  OPSETS,
} from "../model/onnx/encode_onnx.ts";
import { writeOnnxFolder } from "../model/onnx/write_onnx_folder.ts";
import { printable } from "../files/printable.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";
import { defineCommand } from "./command.ts";
import { type Compared, compareWithOnnxruntime } from "./compare_onnxruntime.ts";
import { exportSafetensors } from "./export_safetensors.ts";
import { fromUser, onFiles } from "./files.ts";
import { folderOf } from "./model_option.ts";
import { requireNewFolder } from "./output_folder.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

const DTYPES = Object.keys(MODEL_FILES) as OnnxDtype[];

/** `export`: a model in the format of other programs. */
export const exportCommand = defineCommand({
  name: "export",
  summary: "Write a model for other programs: ONNX, safetensors",
  access: ["files", "device", "hub", "deno"],
  operands: "MODEL",
  options: {
    to: {
      type: "string",
      choices: ["onnx", "safetensors"],
      description:
        "format; onnx: the folder that transformers.js loads, with onnx/model.onnx for onnxruntime; " +
        "safetensors: Hugging Face's layout, such as of a model of DPHuBERT or torchaudio",
      required: true,
    },
    out: {
      type: "path",
      short: "o",
      value: "DIR",
      description: "folder to write; new or empty",
      computed: { text: "the name of the model with the format, such as compact-onnx" },
    },
    dtype: {
      type: "string",
      value: "LIST",
      description: `element types of the weights, some of ${
        DTYPES.join(", ")
      }: a file for each; for safetensors f32 or f16`,
      default: "f32",
    },
    opset: {
      type: "string",
      choices: OPSETS.map(String),
      description: "version of the ONNX operator set; 20 has one operator for GELU",
      default: "17",
    },
  },
  examples: [
    [
      "for servers and the browser",
      "export assets/commands-tiny --to onnx --dtype f32,q8 --out commands-onnx",
    ],
    ["a file of DPHuBERT in Hugging Face's layout", "export DPHuBERT-sp0.75.pth --to safetensors"],
  ],
  async run({ to, out, dtype, opset }, operands, given) {
    const [model, more] = operands;
    if (model === undefined || more !== undefined) {
      throw new UserError(`export takes one MODEL: got ${operands.length}`);
    }
    const folder = out ?? fromUser(`${lastName(model)}-${to}`);
    if (to === "safetensors") {
      if (given.opset !== undefined) throw new UserError("--opset is for --to onnx");
      if (dtype !== "f32" && dtype !== "f16") {
        throw new UserError(`--dtype must be f32 or f16 for safetensors: got ${dtype}`);
      }
      await onFiles(() => exportSafetensors(model, folder, dtype === "f16" ? "F16" : "F32"));
      return 0;
    }
    const dtypes = dtypesOf(dtype);
    await onFiles(() => exportOnnx(model, folder, { dtypes, opset: Number(opset) as OnnxOpset }));
    return 0;
  },
});

/** The element types of `--dtype`. @throws {UserError} One is unknown. */
function dtypesOf(list: string): OnnxDtype[] {
  const names = [...new Set(list.split(",").map((name) => name.trim()))];
  const unknown = names.find((name) => !Object.hasOwn(MODEL_FILES, name));
  if (unknown === undefined) return names as OnnxDtype[];
  throw new UserError(`--dtype must be some of ${DTYPES.join(", ")}: got ${unknown}`);
}

interface Settings {
  readonly dtypes: readonly OnnxDtype[];
  readonly opset: OnnxOpset;
}

/** Writes the folder and runs its files in onnxruntime, where that is installed. */
async function exportOnnx(model: string, folder: string, settings: Settings): Promise<void> {
  await requireNewFolder("export", folder);
  const path = (await folderOf(model)).replace(/(?<=.)\/+$/, "");
  const checkpoint = await readCheckpoint(path);
  for (const text of checkpoint.notes) note(text);
  const source = { checkpoint, read: await readerOf(path, checkpoint), name: path };
  const written = await writeWholeFolder(
    folder,
    (partial) => writeOnnxFolder(partial, source, { ...settings, producerVersion: program.version }),
  );
  if (checkpoint.head === "ctc" && !written.tokenizer) {
    note(`${printable(model)} has no vocab.json: the folder has no tokenizer`);
  }
  const files = written.files.map(({ name }) => `${folder}/onnx/${name}`);
  const compared = await compareWithOnnxruntime(checkpoint, files, written.inputs.length > 1)
    .catch((error) => void note(error.message));
  if (compared === null) {
    note("not run in onnxruntime, which is not installed: deno cache npm:onnxruntime-node@1");
  }
  written.files.forEach((file, i) => print(lineOf(folder, file, written.inputs, compared?.[i])));
}

/** Last part of a path or name. */
function lastName(model: string): string {
  return model.replace(/\/+$/, "").split("/").at(-1)!.replace(/\.(safetensors|bin|pt|pth|ckpt)$/, "");
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
