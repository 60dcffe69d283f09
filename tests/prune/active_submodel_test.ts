// A step without the closed units is the same step.
import { assert, assertEquals } from "@std/assert";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { DeviceGates } from "../../prune/device_gates.ts";
import { unitGroups } from "../../prune/groups.ts";
import type { SurgeryModel } from "../../prune/surgery.ts";
import { activeSubmodel, activeUnits } from "../../prune/active_submodel.ts";
import { backward } from "../../tensor/backward.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { type Nd, randomMask, randomNd } from "../oracle/nd.ts";
import { SMALL_MODELS, smallModel } from "./gated.ts";

for (const name of SMALL_MODELS) {
  Deno.test(`values and gradients without closed units, ${name}`, async () => {
    const { model, samples, lengths } = smallModel(name);
    // Sums of fewer terms are rounded otherwise, and norms pass that on.
    const bound = { rtol: 2e-5, atol: 5e-6 };
    await compare(model, samples, model.config.feat_extract_norm === "layer" ? lengths : null, () => bound);
  });
}

Deno.test("values and gradients without closed units, the embedded model, to 1e-6 of the largest", async () => {
  const model = await readCheckpoint("assets/commands-tiny");
  const bound = (largest: number) => ({ rtol: 0, atol: 1e-6 * largest });
  await compare(model, randomNd([3, 16_000], 4), null, bound);
});

/** Compares a step with all units and one with the open ones; `bound` knows the largest number, or the largest gradient. */
async function compare(
  host: SurgeryModel,
  samples: Nd,
  lengths: readonly number[] | null,
  bound: (largest: number) => { rtol: number; atol: number },
): Promise<void> {
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
  const run = async (thin: boolean, gradCheckpoint = false, together?: number) => {
    const open = activeUnits(config, groups, values);
    using device = thin
      ? new DeviceGates(gpu, open.config, open.groups, open.gates, { requiresGrad: true })
      : new DeviceGates(gpu, config, groups, values, { requiresGrad: true });
    const { output, grads } = gpu.scope(() => {
      const view = thin ? activeSubmodel(model, groups, open, together) : model;
      const { logits, hidden } = view.forward({ samples: upload(gpu, samples), lengths }, {
        gates: device.gates,
        gradCheckpoint,
      });
      const output = logits ?? hidden;
      const seed = upload(gpu, randomNd(output.shape, 5));
      return { output, grads: backward(output, { gradient: seed, sink: device.gradientSink() }) };
    });
    const [dz] = await device.readGradients();
    const found = { value: await output.read(), weights: new Map<string, Float32Array>(), dz: dz! };
    for (const name of model.weights.names) {
      const grad = grads.get(model.weights.get(name));
      if (grad) found.weights.set(name, await grad.read() as Float32Array);
    }
    for (const tensor of [output, ...grads.values()]) tensor.dispose();
    return { ...found, open };
  };
  const whole = await run(false);
  const thin = await run(true);
  for (const together of [undefined, 0]) { // all layers at once, and each by itself
    for (const gradCheckpoint of [false, true]) {
      assertEquals(
        await run(true, gradCheckpoint, together),
        thin,
        `gradCheckpoint ${gradCheckpoint}, together ${together}`,
      );
    }
  }
  const largest = (all: Iterable<ArrayLike<number>>) => {
    return [...all].reduce(
      (most, x) => Array.from(x).reduce((most, x) => Math.max(most, Math.abs(x)), most),
      0,
    );
  };
  const most = largest([...whole.weights.values(), ...whole.dz.values()]);
  assertClose("output", thin.value, whole.value, bound(largest([whole.value])));
  for (const [name, wanted] of whole.weights) {
    const found = thin.weights.get(name);
    if (found) assertClose(name, found, wanted, bound(most));
    else assert(wanted.every((x) => x === 0), `${name} has a gradient`);
  }
  for (const { name } of groups) {
    const units = thin.open.indices.get(name)!;
    const wanted = units.map((i) => whole.dz.get(name)![i]!);
    if (units.length > 0) assertClose(`gates of ${name}`, thin.dz.get(name)!, wanted, bound(most));
  }
  model.dispose();
  assertEquals(gpu.pool.live, live, "live buffers");
}
