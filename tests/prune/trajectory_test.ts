// Three whole pruning steps against PyTorch: sampled gates, CTC and the size constraint, clipping over all groups,
// AdamW with weights on the device, log-alphas and Lagrange multipliers on the host.
import { assertEquals } from "@std/assert";
import { clipGradNorm } from "../../kernels/clip_grad_norm.ts";
import { ctc } from "../../kernels/ctc.ts";
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { clipJointly } from "../../prune/joint_clip.ts";
import { UnitCost } from "../../prune/cost.ts";
import { DeviceGates } from "../../prune/device_gates.ts";
import { UNIT_KINDS } from "../../prune/groups.ts";
import { HardConcreteGates } from "../../prune/hard_concrete_gates.ts";
import { backward } from "../../tensor/backward.ts";
import { AdamW } from "../../train/optimizer.ts";
import { Fixtures } from "../fixtures.ts";
import { testGpu } from "../gpu.ts";
import { assertClose, upload } from "../kernels/check_op.ts";
import { byGroup } from "./configs.ts";

/** Relative to each tensor's largest value. */
const bound = { rtol: 2e-5, atol: 0 };

Deno.test("trajectory_base.safetensors holds", async () => {
  const gpu = await testGpu();
  const live = gpu.pool.live;
  const file = new Fixtures("trajectory_base.safetensors");
  const audio = new Fixtures("audio.safetensors");
  const lengths = audio.integers("lengths");
  const labels = audio.integers("targets");
  const targets = audio.integers("target_lengths").map((n, i) => labels.slice(5 * i, 5 * i + n));
  const samples = upload(gpu, audio.nd("input_values"));

  const checkpoint = await readCheckpoint(new URL("../testdata/base", import.meta.url).pathname);
  const { config } = checkpoint;
  const model = new SpeechModel(gpu, checkpoint);
  const params = model.weights.require((name) => name !== "masked_spec_embed");
  using optimizer = new AdamW([{ params, lr: 1e-3, weightDecay: 0.01 }]);
  // The target is more than the positional convolution leaves room for, so constraintsOf would refuse it.
  const cost = new UnitCost(config, "parameters", 0);
  assertEquals(cost.dense, Number(file.metadata["original_num_params"]));
  const constraints = [{ cost, target: 0.75, kinds: UNIT_KINDS }];
  const trainer = new HardConcreteGates({ config, constraints, seed: 1, warmup: 10 });
  const initial = byGroup(file, trainer.groups, "log_alpha0.");
  for (const [name, values] of trainer.logAlpha) values.set(initial.get(name)!);

  for (let step = 0; step < 3; step++) {
    const at = `step${step}`;
    const drawn = trainer.sample(step, byGroup(file, trainer.groups, `${at}.u.`));
    const values = new Map([...drawn].map(([name, { z }]) => [name, z]));
    using gates = new DeviceGates(gpu, config, trainer.groups, values, { requiresGrad: true });
    const { loss, grads, norm } = gpu.scope(() => {
      const { logits, frameLengths } = model.forward({ samples, lengths }, gates);
      const loss = ctc(logits!, frameLengths, targets, { reduction: "mean" });
      const grads = backward(loss, { sink: gates.gradientSink() });
      const ofWeights = [...grads].filter(([tensor]) => params.includes(tensor)).map(([, grad]) => grad);
      return { loss, grads, norm: clipGradNorm(ofWeights).norm };
    });
    optimizer.accumulate(grads);
    const [dz] = await gates.readGradients();
    const gradients = trainer.differentiate(drawn, step, dz!);
    const [ofWeights] = await norm.read();
    const clip = clipJointly(ofWeights!, gradients.squares, 10);
    optimizer.step({ maxGradNorm: clip.weightsMaxNorm });
    trainer.update(gradients, { rate: 0.02, scale: clip.scale });

    const [{ sparsity, target }] = gradients.constraints as [typeof gradients.constraints[0] & object];
    const same = (name: string, found: ArrayLike<number>) => {
      assertClose(`${at}.${name}`, found, file.nd(`${at}.${name}`).data, bound);
    };
    same("loss_ctc", await loss.read());
    same("loss_reg", [gradients.penalty]);
    same("sparsity", [sparsity]);
    same("target", [target]);
    same("grad_norm", [clip.norm]);
    same("lambda", trainer.lambda);
    for (const tensor of [loss, norm, ...grads.values()]) tensor.dispose();
  }

  for (const [name, values] of trainer.logAlpha) {
    assertClose(name, values, file.nd(`final.log_alpha.${name}`).data, bound);
  }
  for (const published of file.unread()) {
    const name = published.replace(/^final\.(wav2vec2\.)?/, "");
    const expected = file.nd(published);
    const { shape, data } = await model.weights.read(name);
    assertEquals(shape, expected.shape, name);
    assertClose(name, data, expected.data, bound);
  }

  optimizer.dispose();
  model.dispose();
  samples.dispose();
  assertEquals(gpu.pool.live, live, "live buffers");
});
