import { assert, assertEquals } from "@std/assert";
import { sum } from "../../kernels/sum.ts";
import { parseConfig } from "../../model/config.ts";
import { randomCheckpoint } from "../../model/random.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { DeviceGates } from "../../prune/device_gates.ts";
import { unitGroups } from "../../prune/groups.ts";
import { backward } from "../../tensor/backward.ts";
import { requestGpu } from "../../tensor/gpu.ts";
import { preferVulkan } from "../../cli/backend.ts";
import { TINY_MODELS } from "../oracle/model/tiny.ts";
import { randomNd } from "../oracle/nd.ts";

for (const name of ["wav2vec2 base", "wav2vec2 large", "wavlm base", "mms", "data2vec"] as const) {
  Deno.test(`${name}: gradient checkpointing gives the same bits with less memory`, async () => {
    const fields = { ...TINY_MODELS[name].config, hidden_dropout: 0.1, attention_dropout: 0.1, layerdrop: 0 };
    const config = parseConfig(JSON.stringify(fields));
    const groups = unitGroups(config);
    const open = new Map(groups.map(({ name, units }) => {
      return [name, Float64Array.from({ length: units }, (_, i) => 0.5 + 0.5 * i / units)] as const;
    }));
    preferVulkan();
    const found = [];
    for (const gradCheckpoint of [false, true]) {
      const gpu = await requestGpu();
      using model = new SpeechModel(gpu, randomCheckpoint(config, 3));
      model.weights.require();
      using gates = new DeviceGates(gpu, config, groups, open, { requiresGrad: true });
      const samples = Float32Array.from(randomNd([2, 6400], 5).data);
      const start = gpu.pool.liveBytes;
      const [loss, reads] = gpu.scope(() => {
        const { hidden } = model.forward(
          { samples: gpu.tensor(samples, [2, 6400]), lengths: [6400, 5000] },
          { gates: gates.gates, training: { seed: 1, step: 2 }, gradCheckpoint },
        );
        const loss = sum(hidden);
        const grads = backward(loss);
        const tensors = [
          ...model.weights.names.map((name) => model.weights.get(name)),
          ...[gates.gates.conv, gates.gates.heads, gates.gates.ffn].flat().filter((gate) => gate !== null),
        ];
        return [loss.read(), tensors.map((tensor) => grads.get(tensor)?.read() ?? null)];
      });
      found.push({ loss: await loss, grads: await Promise.all(reads) });
      assertEquals(gpu.tape.steps.length, 0);
      found.push({ peak: gpu.pool.peakBytes - start });
      gpu.destroy();
    }
    const [stored, storedPeak, checkpointed, checkpointedPeak] = found as [
      object,
      { peak: number },
      object,
      { peak: number },
    ];
    assertEquals(checkpointed, stored);
    assert(
      checkpointedPeak.peak < storedPeak.peak,
      `${checkpointedPeak.peak} bytes, ${storedPeak.peak} without checkpoints`,
    );
  });
}
