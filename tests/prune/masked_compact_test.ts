// The compact model on the device computes what the gated one does: every family and head, with gates closed, open and
// between, with sub-layers that lose all their units, with convolutions of one channel.
import { assert, assertEquals } from "@std/assert";
import { type HostModel, SpeechModel } from "../../model/speech_model.ts";
import { DeviceGates } from "../../prune/device_gates.ts";
import { unitGroups } from "../../prune/groups.ts";
import { compact } from "../../prune/surgery.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { choiceOf, GATINGS, SMALL_MODELS, smallModel, someGates } from "./gated.ts";

for (const name of SMALL_MODELS) {
  Deno.test(`masked = compact: ${name}`, async () => {
    const gpu = await testGpu();
    const live = gpu.pool.live;
    const { model, samples: clips, lengths } = smallModel(name);
    const samples = upload(gpu, clips);
    const run = async (host: HostModel, gates: DeviceGates | null, mask: boolean) => {
      const onDevice = new SpeechModel(gpu, host);
      const y = gpu.scope(() => {
        const { logits, hidden } = onDevice.forward({ samples, lengths: mask ? lengths : null }, gates ?? {});
        return logits ?? hidden;
      });
      const numbers = await y.read();
      y.dispose();
      onDevice.dispose();
      return numbers;
    };
    const dense = await run(model, null, true);
    for (const [seed, gating] of GATINGS.entries()) {
      const values = someGates(model, gating, seed + 1);
      const groups = unitGroups(model.config);
      const data = new Map([...values].map(([group, { data }]) => [group, data]));
      const small = compact(model, choiceOf(values));
      using gates = new DeviceGates(gpu, model.config, groups, data);
      for (const mask of [true, false]) {
        const masked = await run(model, gates, mask);
        const what = `${gating}, ${mask ? "with" : "without"} attention mask`;
        assertClose(what, await run(small, null, mask), masked, { rtol: 2e-5, atol: 0 });
        if (!mask) continue;
        const moved = masked.some((v, i) => Math.abs(v - dense[i]!) > 1e-3);
        assert(moved, `${what}: the gates change nothing`);
      }
    }
    samples.dispose();
    assertEquals(gpu.pool.live, live, "live buffers");
  });
}
