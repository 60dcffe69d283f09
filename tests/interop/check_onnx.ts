// The checker of the onnx package accepts the files of every family, element type and operator set.
import { concatBytes } from "../../model/checkpoint/safetensors_encode.ts";
import { encodeOnnx, MODEL_FILES, type OnnxDtype, OPSETS } from "../../model/onnx/encode_onnx.ts";
import { tinyModels } from "../model/onnx/models.ts";

/**
 * Writes the files and checks them.
 *
 * @param folder An empty folder.
 * @param python Runs check_onnx.py.
 * @returns The name of each file, and why it is refused, or "".
 */
export async function checkOnnx(
  folder: string,
  python: (folder: string) => Promise<string>,
): Promise<[name: string, refused: string][]> {
  for (const [i, model] of tinyModels.entries()) {
    for (const dtype of Object.keys(MODEL_FILES) as OnnxDtype[]) {
      for (const opset of OPSETS) {
        const { parts } = encodeOnnx(model, { dtype, opset, attentionMask: model.masked });
        await Deno.writeFile(`${folder}/${i}-${dtype}-${opset}.onnx`, concatBytes([...parts()]));
      }
    }
  }
  const model = tinyModels[0]!;
  const outside = encodeOnnx(model, { attentionMask: model.masked, maxBytes: 20_000 });
  for (const file of [outside, ...outside.data]) {
    await Deno.writeFile(`${folder}/${file.name}`, concatBytes([...file.parts()]));
  }
  return (await python(folder)).trim().split("\n").map((line) => {
    const { name, refused } = JSON.parse(line);
    const described = tinyModels[Number.parseInt(name)]?.name ?? "weights in other files";
    return [`ONNX checker: ${name}, ${described}`, refused];
  });
}
