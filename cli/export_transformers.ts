import { writeFileAtomic } from "../files/atomic_file.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";
import { isTorchaudio } from "../model/checkpoint/names.ts";
import { PUBLISHED_LAYOUT } from "../model/checkpoint/types.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import type { OnnxSource } from "../model/onnx/write_onnx_folder.ts";
import { withHead } from "../model/parameter_specs.ts";
import { padModel } from "../model/transformers/pad.ts";
import { isStock, PYTHON_FILE } from "../model/transformers/python_file.ts";
import { tokenizerConfig } from "../model/transformers/tokenizer_config.ts";
import { json, modelFiles, RECORD_FILE, tokenizerIn } from "../model/inference/model_files.ts";
import { print } from "./print.ts";

/** What to write. */
export interface TransformersSettings {
  /** Whether the model is filled with zeros for stock classes. */
  readonly pad: boolean;
  /** Element type of the weights. */
  readonly dtype: "F32" | "F16";
}

/** Writes the folder that Python's transformers loads. Names of torchaudio become Hugging Face's. */
export async function exportTransformers(
  { checkpoint: read, read: readFile, name }: OnnxSource,
  folder: string,
  { pad, dtype }: TransformersSettings,
): Promise<void> {
  const foreign = isTorchaudio(read.layoutOnDisk.tensors.map(({ name }) => name));
  const headed = {
    ...read,
    config: withHead(read.config, read.head),
    ...foreign && { layoutOnDisk: PUBLISHED_LAYOUT },
  };
  const checkpoint = pad ? padModel(headed) : headed;
  const files: Record<string, string> = await modelFiles(readFile, checkpoint.config, name);
  if (files["vocab.json"] !== undefined) {
    const tokenizer = tokenizerIn(files, `${name}/vocab.json`);
    files["tokenizer_config.json"] = json(tokenizerConfig(tokenizer, files["tokenizer_config.json"]));
  }
  const card = await readFile("README.md");
  if (pad) delete files[RECORD_FILE]; // its units are not those of the padded model
  else if (card) files["README.md"] = new TextDecoder().decode(card);
  await writeWholeFolder(folder, async (partial) => {
    await writeCheckpoint(partial, checkpoint, { dtype });
    for (const [name, text] of Object.entries(files)) await writeFileAtomic(`${partial}/${name}`, text);
  });
  const { size } = await Deno.stat(`${folder}/model.safetensors`);
  const loader = isStock(checkpoint.config) ? "its own classes" : `${PYTHON_FILE} (trust_remote_code=True)`;
  const weights = `${(size / 1e6).toFixed(1)} MB, ${checkpoint.tensors.size} tensors`;
  print(`${folder}: model.safetensors, ${weights}, loaded by ${loader}`);
}
