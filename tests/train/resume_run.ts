// A small run as a process of its own, so that a test can kill it: `resume_run.ts FOLDER`.
import { parseTokenizer } from "../../model/decode/tokenizer.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { preferVulkan } from "../../cli/backend.ts";
import { trainModel, type TrainModelOptions } from "../../train/loop.ts";
import { repeatBatches } from "../../train/micro_batch.ts";
import { loadRunState } from "../../train/run_state.ts";
import { TEXTS, tinyCheckpoint, toneBatch } from "./tiny.ts";

/** What a small run is made of but for its device and folder: dropout, masks, two micro-batches, three to an epoch. */
export function smallRun(): Omit<TrainModelOptions, "gpu" | "out"> {
  const checkpoint = tinyCheckpoint("wav2vec2 base", { dropout: true });
  const batch = (from: number, to: number) =>
    toneBatch(checkpoint, TEXTS.slice(from, to), { attentionMask: false, masked: true });
  const batches = [batch(0, 2), batch(2, 3), batch(3, 4)];
  const vocab = Object.fromEntries(["<pad>", "|", "A", "B", "C", "D", "E", "F", "G"].map((t, id) => [t, id]));
  return {
    checkpoint,
    source: repeatBatches(batches),
    dev: async function* () {
      yield* batches;
      await Promise.resolve();
    },
    tokenizer: parseTokenizer({ vocab: JSON.stringify(vocab) }),
    seed: 5,
    steps: 20,
    lr: 3e-3,
    warmup: 5,
    weightDecay: 0.01,
    gradAccumSteps: 2,
    maxGradNorm: 5,
    evalEvery: 6,
    saveEvery: 4,
  };
}

if (import.meta.main) {
  preferVulkan();
  const [out] = Deno.args as [string];
  const gpu = await requestGpu();
  await trainModel({ ...smallRun(), gpu, out, resume: await loadRunState(`${out}/state`) });
  gpu.destroy();
}
