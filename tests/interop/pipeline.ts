// The embedded compact model in transformers' pipeline: by its Python file, and padded.
import { EMBEDDED_COMPACT } from "../../cli/embedded.ts";
import { main } from "../../cli/main.ts";
import { loadAudio } from "../../data/audio/audio.ts";
import { encodeSafetensors } from "../../model/checkpoint/safetensors_encode.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import type { Gpu } from "../../tensor/gpu.ts";

const SAMPLE = new URL("../../assets/samples/radio.flac", import.meta.url).pathname;

/**
 * Compares the transcripts of transformers with ours.
 *
 * @param folder Empty folder.
 * @param python Runs pipeline.py and returns what it prints.
 * @returns Names of what was compared, with what is wrong; empty where nothing is.
 */
export async function comparePipelines(
  gpu: Gpu,
  folder: string,
  python: (...args: string[]) => Promise<string>,
): Promise<[name: string, wrong: string][]> {
  const { samples } = await loadAudio(SAMPLE);
  using model = await loadModel(EMBEDDED_COMPACT, { gpu });
  const { text } = await model.transcribe(samples);
  const data = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  const entry = { dtype: "F32" as const, shape: [samples.length], data };
  await Deno.writeFile(`${folder}/samples.safetensors`, encodeSafetensors(new Map([["samples", entry]])));
  const forms = [["compact", []], ["padded", ["--pad"]]] as const;
  for (const [name, options] of forms) {
    await main(
      ["export", EMBEDDED_COMPACT, "--to", "transformers", ...options, "--out", `${folder}/${name}`],
      folder,
    );
  }
  const lines = await python(`${folder}/samples.safetensors`, ...forms.map(([name]) => `${folder}/${name}`));
  return lines.trim().split("\n").map((line, i) => {
    const found = JSON.parse(line);
    const right = found.text === text && found.processor === "Wav2Vec2Processor";
    return [`pipeline of the embedded model, ${forms[i]![0]}`, right ? "" : `; ${line}, not ${text}`];
  });
}
