import program from "../deno.json" with { type: "json" };
import { readCheckpoint } from "../model/checkpoint/read.ts";
import { readerOf } from "../model/inference/model_source.ts";
import { type OnnxOpset, OPSETS } from "../model/onnx/encode_onnx.ts";
import { type OnnxFolder, writeOnnxFolder } from "../model/onnx/write_onnx_folder.ts";
import { printable } from "../files/printable.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";
import { defineCommand } from "./command.ts";
import { fromUser, onFiles } from "./files.ts";
import { folderOf } from "./model_option.ts";
import { requireNewFolder } from "./output_folder.ts";
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
  await requireNewFolder("export", folder);
  const path = (await folderOf(model)).replace(/(?<=.)\/+$/, "");
  const checkpoint = await readCheckpoint(path);
  for (const text of checkpoint.notes) note(text);
  const source = { checkpoint, read: await readerOf(path, checkpoint), name: path };
  const written = await writeWholeFolder(
    folder,
    (partial) => writeOnnxFolder(partial, source, { opset, producerVersion: program.version }),
  );
  if (checkpoint.head === "ctc" && !written.tokenizer) {
    note(`${printable(model)} has no vocab.json: the folder has no tokenizer`);
  }
  return written;
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
