import { isTorchaudio } from "../model/checkpoint/names.ts";
import { PUBLISHED_LAYOUT } from "../model/checkpoint/read.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import { makeFolder, writeFileAtomic } from "../files/atomic_file.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";
import { folderOf, readBaseModel } from "./model_option.ts";
import { requireNewFolder } from "./output_folder.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";

/**
 * Writes a model folder in Hugging Face's layout: `config.json`, `model.safetensors` and the small files. Names of torchaudio
 * become Hugging Face's.
 *
 * @param model the command's operand
 * @param folder folder to write
 * @param dtype element type of the weights
 * @throws {Error} a file is wrong or cannot be written; one line
 */
export async function exportSafetensors(model: string, folder: string, dtype: "F32" | "F16"): Promise<void> {
  await requireNewFolder("export", folder);
  const { checkpoint, files } = await readBaseModel(await folderOf(model), model);
  for (const text of checkpoint.notes) note(text);
  const { layoutOnDisk } = checkpoint;
  const foreign = isTorchaudio(layoutOnDisk.tensors.map(({ name }) => name));
  const published = { ...checkpoint, layoutOnDisk: foreign ? PUBLISHED_LAYOUT : layoutOnDisk };
  await writeWholeFolder(folder, async (partial) => {
    await makeFolder(partial);
    for (const [name, text] of Object.entries(files)) await writeFileAtomic(`${partial}/${name}`, text);
    await writeCheckpoint(partial, published, { dtype });
  });
  const { size } = await Deno.stat(`${folder}/model.safetensors`);
  print(`${folder}: model.safetensors, ${(size / 1e6).toFixed(1)} MB, ${checkpoint.tensors.size} tensors`);
}
