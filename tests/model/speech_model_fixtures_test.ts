// The model on the device against PyTorch: every stored tensor of base/ and large/, dense and with given gates.
import { assertEquals } from "@std/assert";
import { ctc } from "../../kernels/ctc.ts";
import { parseConfig } from "../../model/config.ts";
import type { Gates } from "../../model/gates.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { backward } from "../../tensor/backward.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Fixtures } from "../fixtures.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { type Nd, nd, permute } from "../oracle/nd.ts";

/** Relative to each tensor's largest value. */
const bound = { rtol: 2e-5, atol: 0 };

const audio = new Fixtures("audio.safetensors");
const inputs = audio.nd("input_values");
const lengths = audio.integers("lengths");
const targetLengths = audio.integers("target_lengths");
const labels = audio.integers("targets");
const targets = targetLengths.map((n, i) => labels.slice(5 * i, 5 * i + n));

function loadModel(family: string, gpu: Awaited<ReturnType<typeof testGpu>>): SpeechModel {
  const url = new URL(`../testdata/${family}/config.json`, import.meta.url);
  const file = new Fixtures(`${family}/model.safetensors`);
  const tensors = file.unread().map((name) => {
    const { shape, data } = file.nd(name);
    return [name, { shape, data: Float32Array.from(data) }] as const;
  });
  const config = parseConfig(Deno.readTextFileSync(url));
  return new SpeechModel(gpu, { config, head: "ctc", tensors: new Map(tensors) });
}

/** Transposes activations of convolutions, which PyTorch stores as [B, C, T]. */
const channelsLast = (name: string, x: Nd) => name.startsWith("conv.") ? permute(x, [0, 2, 1]) : x;

for (const family of ["base", "large"]) {
  for (const file of ["dense", "masked"]) {
    // Long because one forward and backward pass is compared in every respect.
    Deno.test(`${family}/${file} agrees with PyTorch`, async () => {
      const gpu = await testGpu();
      const live = gpu.pool.live;
      const model = loadModel(family, gpu);
      const expected = new Fixtures(`${family}/${file}.safetensors`);
      const masks = new Fixtures(`${family}/masks.safetensors`);
      const gateOf = new Map<string, Tensor>();
      if (file === "masked") {
        for (const name of masks.unread()) {
          const gate = upload(gpu, masks.nd(name));
          gate.requiresGrad = true;
          gateOf.set(name, gate);
        }
      }
      const list = (kind: string, n: number) =>
        Array.from({ length: n }, (_, i) => gateOf.get(`${kind}.${i}`) ?? null);
      const gates: Gates = { conv: list("conv", 7), heads: list("heads", 3), ffn: list("ffn", 3) };
      const samples = upload(gpu, inputs);

      // Inference, without the attention mask.
      for (const gate of gateOf.values()) gate.requiresGrad = false;
      const run = (mask: boolean) =>
        gpu.scope(() => {
          const { logits, frameLengths } = model.forward({ samples, lengths: mask ? lengths : null }, {
            gates,
          });
          const losses = ctc(logits!, frameLengths, targets, { reduction: "none" });
          return { logits: logits!, losses };
        });
      const plain = run(false);
      const suffix = "_no_attention_mask";
      assertClose("logits", await plain.logits.read(), expected.nd(`logits${suffix}`).data, bound);
      const perSample = expected.nd(`loss_per_sample${suffix}`).data;
      assertClose("losses", await plain.losses.read(), perSample, bound);

      // Training: gradients of the mean loss for every weight and gate.
      model.weights.require();
      for (const gate of gateOf.values()) gate.requiresGrad = true;
      const seen = new Map<string, Tensor>();
      const { logits, losses, grads, mean, frameLengths } = gpu.scope(() => {
        const observe = (name: string, x: Tensor) => void seen.set(name, x);
        const { logits, frameLengths } = model.forward({ samples, lengths }, { gates, observe });
        const losses = ctc(logits!, frameLengths, targets, { reduction: "none" });
        const mean = ctc(logits!, frameLengths, targets, { reduction: "mean" });
        const grads = backward(mean, { keep: [logits!, losses] });
        return { logits: logits!, losses, grads, mean, frameLengths };
      });
      assertEquals(frameLengths, expected.integers("frame_lengths"));
      assertClose("logits", await logits.read(), expected.nd("logits").data, bound);
      const found = await losses.read();
      assertClose("losses", found, expected.nd("loss_per_sample").data, bound);
      assertClose("sum", [found[0]! + found[1]!], expected.nd("loss_sum").data, bound);
      assertClose("mean", await mean.read(), expected.nd("loss_mean").data, bound);
      for (const [name, x] of seen) {
        if (name.endsWith(".ffn")) continue; // not in the file
        const reference = channelsLast(name, expected.nd(`act.${name}`));
        if (name === "conv.6" && file === "masked") {
          // The reference has 0 for the channels that the norm of its projection leaves out.
          const found = await x.read();
          const z = masks.nd("conv.6").data;
          found.forEach((_, i) => z[i % z.length] === 0 && (found[i] = 0));
          assertClose(`act.${name}`, found, reference.data, bound);
          continue;
        }
        assertClose(`act.${name}`, await x.read(), reference.data, bound);
      }
      for (const name of model.weights.names) {
        const published = name === "lm_head.weight" || name === "lm_head.bias" ? name : `wav2vec2.${name}`;
        const reference = expected.nd(`grad.${published}`);
        const grad = grads.get(model.weights.get(name));
        const { shape, data } = grad
          ? await model.weights.read(name, grad)
          : { shape: reference.shape, data: nd(reference.shape).data };
        assertEquals(shape, reference.shape, name);
        // The gradient of a key bias is 0 in exact arithmetic, as softmax is invariant to a shift.
        const tolerance = name.endsWith("k_proj.bias") ? { rtol: 0, atol: 1e-6 } : bound;
        assertClose(`grad.${name}`, data, reference.data, tolerance);
      }
      for (const [name, gate] of gateOf) {
        assertClose(
          `grad.mask.${name}`,
          await grads.get(gate)!.read(),
          expected.nd(`grad.mask.${name}`).data,
          bound,
        );
      }
      assertEquals(expected.unread(), []);

      model.dispose();
      const others = [plain.logits, plain.losses, logits, losses, mean, samples];
      for (const tensor of [...others, ...seen.values(), ...grads.values(), ...gateOf.values()]) {
        tensor.dispose();
      }
      assertEquals(gpu.pool.live, live, "live buffers");
    });
  }
}
