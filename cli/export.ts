import program from "../deno.json" with { type: "json" };
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { folderReader } from "../model/checkpoint/weight_files.ts";
import { type OnnxOpset, OPSETS } from "../model/onnx/encode_onnx.ts";
import { type OnnxFolder, writeOnnxFolder } from "../model/onnx/write_onnx_folder.ts";
import { fileError } from "../files/atomic_file.ts";
import { printable } from "../files/printable.ts";
import { defineCommand } from "./command.ts";
import { fromUser, onFiles } from "./files.ts";
import { folderOf } from "./model_option.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";
import { UserError } from "./user_error.ts";

/** `export`: a model in the format of other programs. */
export const exportCommand = defineCommand({
  name: "export",
  summary: "Write a model for other programs: ONNX",
  operands: "MODEL",
  options: {
    to: {
      type: "string",
      choices: ["onnx"],
      description:
        "format; onnx: the folder that transformers.js loads, with onnx/model.onnx for onnxruntime",
      required: true,
    },
    out: {
      type: "path",
      short: "o",
      value: "DIR",
      description: "folder to write; new or empty",
      computed: { text: "the name of the model with the format, such as compact-onnx" },
    },
    opset: {
      type: "string",
      choices: OPSETS.map(String),
      description: "version of the ONNX operator set; 20 has one operator for GELU",
      default: "17",
    },
  },
  examples: [["for the browser", "export assets/commands-tiny --to onnx --out commands-onnx"]],
  async run({ to, out, opset }, operands) {
    const [model, more] = operands;
    if (model === undefined || more !== undefined) {
      throw new UserError(`export takes one MODEL: got ${operands.length}`);
    }
    const folder = out ?? fromUser(`${lastName(model)}-${to}`);
    const written = await onFiles(() => exportOnnx(model, folder, Number(opset) as OnnxOpset));
    print(report(folder, written));
    return 0;
  },
});

/** Writes the folder, complete or not at all. */
async function exportOnnx(model: string, folder: string, opset: OnnxOpset): Promise<OnnxFolder> {
  const exists = await isEmptyFolder(folder);
  const path = (await folderOf(model)).replace(/(?<=.)\/+$/, "");
  const checkpoint = await readCheckpoint(path);
  for (const text of checkpoint.notes) note(text);
  const partial = `${folder.replace(/(?<=.)\/+$/, "")}.${Deno.pid}.partial`;
  try {
    const source = { checkpoint, read: folderReader(await besideWeights(path)), name: path };
    const written = await writeOnnxFolder(partial, source, { opset, producerVersion: program.version });
    if (checkpoint.head === "ctc" && !written.tokenizer) {
      note(`${printable(model)} has no vocab.json: the folder has no tokenizer`);
    }
    if (exists) await Deno.remove(folder);
    await Deno.rename(partial, folder).catch((error) => {
      throw fileError("write", folder, error);
    });
    return written;
  } catch (error) {
    await Deno.remove(partial, { recursive: true }).catch(() => {});
    throw error;
  }
}

/** Whether there is a folder without files. @throws {UserError} There is a file, or a folder with files. */
async function isEmptyFolder(path: string): Promise<boolean> {
  const refuse = (found: string) =>
    new UserError(`Cannot export as --out must be a new or empty folder: ${printable(path)} ${found}`);
  try {
    for await (const _ of Deno.readDir(path)) throw refuse("has files");
    return true;
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) throw refuse("is, or is below, a file");
    throw fileError("read", path, error);
  }
}

/** The folder of a model that is given by its folder or its weight file. */
async function besideWeights(path: string): Promise<string> {
  return (await Deno.stat(path)).isFile ? path.replace(/[^/]*$/, ".") : path;
}

/** Last part of a path or name. */
function lastName(model: string): string {
  return model.replace(/\/+$/, "").split("/").at(-1)!.replace(/\.(safetensors|bin|pt|pth|ckpt)$/, "");
}

function report(folder: string, { file, inputs }: OnnxFolder): string {
  const megabytes = (file.bytes / 1e6).toFixed(1);
  return `${folder}: onnx/model.onnx, ${megabytes} MB, ${file.graph.nodes.length} nodes, inputs ${
    inputs.join(", ")
  }`;
}
