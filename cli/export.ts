import { readCheckpoint } from "../model/checkpoint/read.ts";
import { readerOf } from "../model/inference/model_source.ts";
import { MODEL_FILES, type OnnxDtype, type OnnxOpset, OPSETS } from "../model/onnx/encode_onnx.ts";
import { defineCommand } from "./command.ts";
import { exportOnnx } from "./export_onnx.ts";
import { exportTransformers } from "./export_transformers.ts";
import { fromUser, onFiles } from "./files.ts";
import { folderOf, langOption, languageOf } from "./model_option.ts";
import { requireNewFolder } from "./output_folder.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

const DTYPES = Object.keys(MODEL_FILES) as OnnxDtype[];

/** `export`: a model in the format of other programs. */
export const exportCommand = defineCommand({
  name: "export",
  summary: "Write a model for other programs: ONNX, transformers",
  access: ["files", "device", "hub", "deno"],
  operands: "MODEL",
  options: {
    to: {
      type: "string",
      choices: ["onnx", "transformers"],
      description:
        "format; onnx: the folder that transformers.js loads, with onnx/model.onnx for onnxruntime; " +
        "transformers: the folder that Python loads, also of a model of DPHuBERT or torchaudio",
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
      }: a file for each; for transformers f32 or f16`,
      default: "f32",
    },
    pad: {
      type: "flag",
      description:
        "transformers: fill heads and units with zeros, so that the model loads without a Python file",
    },
    opset: {
      type: "string",
      choices: OPSETS.map(String),
      description: "version of the ONNX operator set; 20 has one operator for GELU",
      default: "17",
    },
    lang: langOption,
  },
  examples: [
    [
      "for servers and the browser",
      "export assets/commands-tiny --to onnx --dtype f32,q8 --out commands-onnx",
    ],
    ["a file of DPHuBERT for Python", "export DPHuBERT-sp0.75.pth --to transformers"],
    ["for Python, without code of ours", "export assets/commands-tiny-compact --to transformers --pad"],
  ],
  async run({ out, ...options }, operands, given) {
    const [model, more] = operands;
    if (model === undefined || more !== undefined) {
      throw new UserError(`export takes one MODEL: got ${operands.length}`);
    }
    if (options.to !== "onnx" && given.opset !== undefined) throw new UserError("--opset is for --to onnx");
    const folder = out ?? fromUser(`${lastName(model)}-${options.to}`);
    await onFiles(() => exportModel(model, folder, options));
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

/** Checks the options of the format, and writes the folder. */
async function exportModel(model: string, folder: string, options: Options): Promise<void> {
  const { to, pad, opset } = options;
  const dtypes = dtypesOf(options.dtype);
  if (to === "onnx" && pad) throw new UserError("--pad is for --to transformers");
  if (to === "transformers" && (dtypes.length > 1 || dtypes[0] === "q8")) {
    throw new UserError(`--dtype must be f32 or f16 for --to transformers: got ${options.dtype}`);
  }
  await requireNewFolder("export", folder);
  const path = (await folderOf(model, options)).replace(/(?<=.)\/+$/, "");
  const checkpoint = await readCheckpoint(path, languageOf(options));
  for (const text of checkpoint.notes) note(text);
  const source = { checkpoint, read: await readerOf(path, checkpoint), name: path };
  if (to === "onnx") await exportOnnx(source, folder, { dtypes, opset: Number(opset) as OnnxOpset });
  else await exportTransformers(source, folder, { pad, dtype: dtypes[0] === "f16" ? "F16" : "F32" });
}

interface Options {
  readonly to: string;
  readonly dtype: string;
  readonly opset: string;
  readonly pad: boolean;
  readonly lang?: string | undefined;
}

/** Last part of a path or name. */
function lastName(model: string): string {
  return model.replace(/\/+$/, "").split("/").at(-1)!.replace(/\.(safetensors|bin|pt|pth|ckpt)$/, "");
}
