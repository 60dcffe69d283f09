// Estimated memory of a training; what a fake device allocates is tested in tests/tensor/fake_gpu_test.ts.

import { assert, assertEquals } from "@std/assert";
import { SpeechModel } from "../../model/speech_model.ts";
import { repeatBatches } from "../../train/micro_batch.ts";
import { FinetuneTrainer } from "../../train/trainer.ts";
import { measureMemory } from "../../train/memory.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { testGpu } from "../gpu.ts";
import { TEXTS, tinyCheckpoint, toneBatch } from "./tiny.ts";

Deno.test("what comes after the training counts where it takes more, and finds the training's memory free", async () => {
  const gpu = await testGpu();
  const checkpoint = tinyCheckpoint("wav2vec2 base", { dropout: false });
  const source = repeatBatches([toneBatch(checkpoint, TEXTS)]);
  const make = (gpu: Gpu) => new FinetuneTrainer(new SpeechModel(gpu, checkpoint), { lr: 1e-3 });
  const bytesWith = async (numbers: number) => {
    let live = -1;
    const after = (dry: Gpu) => {
      live = dry.pool.live;
      dry.zeros([numbers]).dispose();
      return Promise.resolve();
    };
    const { deviceBytes, hostBytes } = await measureMemory(gpu, make, { source, steps: 2, after });
    assert(hostBytes > 0, `${hostBytes}`);
    assertEquals(live, 0);
    return deviceBytes;
  };
  const training = await bytesWith(1);
  assertEquals(await bytesWith(256), training);
  const large = 2 ** Math.ceil(Math.log2(training)); // bytes, of a size class of the pool
  const both = await bytesWith(large / 4);
  assert(both >= large && both < training + large, `${training} ${large} ${both}`);
});
