// A step without the closed units is the same step.
import { assert, assertEquals } from "@std/assert";
import { SpeechModel } from "../../model/speech_model.ts";
import { DeviceGates } from "../../prune/device_gates.ts";
import { unitGroups } from "../../prune/groups.ts";
import { openUnits, thinModel } from "../../prune/thin_model.ts";
import { backward } from "../../tensor/tape.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { randomMask, randomNd } from "../oracle/nd.ts";
import { SMALL_MODELS, smallModel } from "./gated.ts";

for (const name of SMALL_MODELS) {
  Deno.test(`values and gradients without closed units, ${name}`, async () => {
    const { model: host, samples, lengths } = smallModel(name);
    const gpu = await testGpu();
    const live = gpu.pool.live;
    const { config } = host;
    const groups = unitGroups(config);
    const values = new Map(groups.map(({ name, units, kind, layer }, g) => {
      const mask = Array.from(
        randomMask([units], g + 1, 0.5).data,
        (z, i) => z * (0.3 + 0.7 * ((i * 7) % 5) / 4),
      );
      // Half of the units, and the first layer altogether.
      if (kind !== "conv" && layer === 0) mask.fill(0);
      if (kind === "conv" && !mask.some((z) => z > 0)) mask[0] = 1;
      return [name, Float64Array.from(mask)] as const;
    }));
    const model = new SpeechModel(gpu, host);
    model.weights.require();
    const masked = config.feat_extract_norm === "layer" ? lengths : null;
    const run = async (thin: boolean) => {
      const open = openUnits(config, groups, values);
      using device = thin
        ? new DeviceGates(gpu, open.config, open.groups, open.gates, { requiresGrad: true })
        : new DeviceGates(gpu, config, groups, values, { requiresGrad: true });
      const { output, grads } = gpu.scope(() => {
        const view = thin ? thinModel(model, groups, open) : model;
        const { logits, hidden } = view.forward(
          { samples: upload(gpu, samples), lengths: masked },
          { gates: device.gates },
        );
        const output = logits ?? hidden;
        return { output, grads: backward(output, { seed: upload(gpu, randomNd(output.shape, 5)) }) };
      });
      const dz = await device.readGradients(grads);
      const found = { value: await output.read(), weights: new Map<string, Float32Array>(), dz };
      for (const name of model.weights.names) {
        const grad = grads.get(model.weights.get(name));
        if (grad) found.weights.set(name, await grad.read() as Float32Array);
      }
      for (const tensor of [output, ...grads.values()]) tensor.dispose();
      return { ...found, open };
    };
    const whole = await run(false);
    const thin = await run(true);
    // Sums of fewer terms are rounded otherwise, and norms pass that on.
    const close = (what: string, found: ArrayLike<number>, wanted: ArrayLike<number>) =>
      assertClose(what, found, wanted, { rtol: 2e-5, atol: 5e-6 });
    close("output", thin.value as Float32Array, whole.value as Float32Array);
    for (const [name, wanted] of whole.weights) {
      const found = thin.weights.get(name);
      if (found) close(name, found, wanted);
      else assert(wanted.every((x) => x === 0), `${name} has a gradient`);
    }
    for (const { name } of groups) {
      const units = thin.open.indices.get(name)!;
      const wanted = units.map((i) => whole.dz.get(name)![i]!);
      if (units.length > 0) close(`gates of ${name}`, thin.dz.get(name)!, wanted);
    }
    model.dispose();
    assertEquals(gpu.pool.live, live, "live buffers");
  });
}
