import { assert, assertEquals } from "@std/assert";
import { preferVulkan } from "../../cli/backend.ts";
import { setGemm } from "../../kernels/gemm/policy.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { fakeGpu } from "../../tensor/fake_gpu.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { FinetuneTrainer } from "../../train/trainer.ts";
import { variants } from "../full.ts";
import { TEXTS, tinyCheckpoint, toneBatch } from "../train/tiny.ts";

for (const gemm of variants(["texture", "tile-32", "tile-64"] as const, "texture", "tile-32")) {
  Deno.test(`a fake device allocates what a real one does, with ${gemm} GEMM kernels`, async () => {
    preferVulkan();
    const real = await requestGpu();
    setGemm(real, gemm);
    const { gpu: dry, memory } = fakeGpu(real);
    const checkpoint = tinyCheckpoint("wav2vec2 base", { dropout: true });
    const batches = [TEXTS, TEXTS.slice(1), TEXTS.slice(2)].map((texts) => toneBatch(checkpoint, texts));
    for (const gpu of [real, dry]) {
      using trainer = new FinetuneTrainer(new SpeechModel(gpu, checkpoint), { lr: 1e-3 });
      for (const [step, batch] of batches.entries()) {
        await trainer.step([batch], { seed: 1, step, lrScale: 1, maxGradNorm: 5 });
      }
    }
    assertEquals(dry.pool.allBytes, real.pool.allBytes);
    assertEquals(dry.pool.peakBytes, real.pool.peakBytes);
    assert(memory.peakBytes >= dry.pool.allBytes, "all that the pool has is counted");
    real.destroy();
  });
}
