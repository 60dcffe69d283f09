import type { SafetensorsEntry } from "../model/checkpoint/safetensors.ts";
import { encodeSafetensors } from "../model/checkpoint/safetensors_encode.ts";
import { writeFileAtomic } from "../files/atomic_file.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { group } from "./options.ts";
import { langOption, modelOption, openModel, revisionOption } from "./model_option.ts";

/** `extract`: logits and hidden states of audio files. */
export const extractCommand = defineCommand({
  name: "extract",
  summary: "Write logits and hidden states to a safetensors file",
  operands: "FILES…",
  options: {
    ...group("Model", { model: modelOption, revision: revisionOption, lang: langOption }),
    ...group("Output", {
      out: {
        type: "path",
        short: "o",
        value: "FILE",
        description:
          "safetensors file to write; its tensors are PATH/logits and PATH/hidden.N, the input of " +
          "layer N, and for the last N the encoder's output",
        required: true,
      },
    }),
  },
  examples: [["hidden states of two files", "extract -m model -o states.safetensors a.wav b.wav"]],
  async run({ model, revision, lang, out }, files) {
    const loaded = await openModel(model, { revision, lang });
    const { model: network } = loaded;
    const tensors = new Map<string, SafetensorsEntry>();
    try {
      const status = await eachFile("extract", files, async (file, samples) => {
        const hidden: Tensor[] = [];
        const logits = network.gpu.scope(() =>
          loaded.forward(loaded.batch([samples]), {
            observe: (name, x) => keepHidden(name, network.config.do_stable_layer_norm, hidden, x),
          }).logits
        );
        const named = [
          ...logits ? [["logits", logits] as const] : [],
          ...hidden.map((x, i) => [`hidden.${i}`, x] as const),
        ];
        for (const [name, tensor] of named) {
          using x = tensor;
          // One utterance: no batch dimension.
          const data = new Uint8Array((await x.read()).buffer);
          tensors.set(`${file}/${name}`, { dtype: "F32", shape: x.shape.slice(1), data });
        }
      }, { maxSeconds: 120 });
      if (tensors.size > 0) await onFiles(() => writeFileAtomic(out, [encodeSafetensors(tensors)]));
      return status;
    } finally {
      loaded.dispose();
      network.gpu.destroy();
    }
  },
});

/**
 * Keeps the hidden states that the published implementation returns: the first layer's input and every layer's output,
 * the last one after the final norm.
 */
function keepHidden(name: string, preNorm: boolean, hidden: Tensor[], x: Tensor): void {
  if (name === "encoder_in" || /^layer\.\d+$/.test(name)) hidden.push(x);
  else if (name === "encoder_out" && preNorm) hidden.splice(-1, 1, x)[0]!.dispose();
  else x.dispose();
}
