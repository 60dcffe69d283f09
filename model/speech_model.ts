// wav2vec 2.0 and the models built like it: convolutional feature encoder → feature projection → Transformer encoder → head.
//
// Shapes, here and in the files that this one calls:
//   B batch (utterances)      C channels of a convolution    d hidden size
//   S samples at 16 kHz       H attention heads              F feed-forward units
//   T frames (20 ms)          D head size                    V vocabulary
//   K kernel width

import { linear } from "../kernels/linear.ts";
import { meanFrames } from "../kernels/mean_frames.ts";
import { gradientCheckpoint } from "../tensor/gradient_checkpoint.ts";
import { recording } from "../tensor/tape.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { HeadKind, ModelConfig } from "./config.ts";
import { paddedUnits, shapePadder } from "./padded_widths.ts";
import { hasPositionalStack, LAYER_WEIGHTS, parameterSpecs, projections } from "./parameter_specs.ts";
import { withoutPrefix } from "./families.ts";
import { encode } from "./encoder.ts";
import { encodeFeatures, projectFeatures } from "./feature_encoder.ts";
import type { Gates } from "./gates.ts";
import { weightedLayerSum } from "./weighted_layer_sum.ts";
import { Weights } from "./weights.ts";
import { drop } from "./dropouts.ts";
import type { ForwardContext, Training } from "./forward_context.ts";

/** A model whose weights are on the host. */
export interface HostModel {
  /** Architecture. */
  readonly config: ModelConfig;
  /** Head on top of the Transformer. */
  readonly head: HeadKind;
  /** Weights by published name, with or without the model prefix; uploaded in published order. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

/** A model whose weights are on the device. */
export interface DeviceModel {
  /** Architecture. */
  readonly config: ModelConfig;
  /** Head on top of the Transformer. */
  readonly head: HeadKind;
  /** Weights by published name, without the model prefix. */
  readonly weights: Weights;
}

/** Normalised audio of a batch of utterances. */
export interface Batch {
  /** Samples at 16 kHz, [B, S], zero-padded. */
  readonly samples: Tensor;
  /** Valid samples of each utterance, if the model was trained with an attention mask; else null. */
  readonly lengths?: readonly number[] | null;
}

/** Options of {@linkcode SpeechModel.forward}. */
export interface ForwardOptions {
  /** Gates of the units; default: all open. */
  readonly gates?: Gates | null;
  /** Settings of the training step; default: evaluation, without dropout and masking. */
  readonly training?: Training | null;
  /** Receives the activations by name, and owns them. */
  readonly observe?: (name: string, x: Tensor) => void;
  /**
   * Whether the result of an utterance is independent of padding: the group norm averages valid frames only, and positional
   * convolutions read zeros after them. Needs `lengths`. Published models include padding there, even with an attention mask.
   */
  readonly paddingInvariant?: boolean;
  /** Gradient checkpointing: layers free their activations, and compute them again in the backward pass. Not with `observe`. */
  readonly gradCheckpoint?: boolean;
}

/** Outputs of a model. */
export interface Output {
  /** [B, T, V] with a CTC head, [B, labels] with a classification head, else null. */
  readonly logits: Tensor | null;
  /** Last hidden state, [B, T, d]. */
  readonly hidden: Tensor;
  /** Valid frames of each utterance. */
  readonly frameLengths: readonly number[];
}

/**
 * Number of frames T after the convolutions for a number of samples; 0 if there are too few.
 *
 * @example
 * ```ts
 * import { framesOf, parseConfig } from "../mod.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * console.log(framesOf(config, 16_000)); // 49 frames for one second
 * ```
 */
export function framesOf(config: ModelConfig, samples: number): number {
  return config.conv_kernel.reduce((n, _, i) => framesAfter(config, i, n), samples);
}

/** Number of frames after convolution `i` for `n` frames before it. */
function framesAfter({ conv_kernel, conv_stride }: ModelConfig, i: number, n: number): number {
  return Math.max(0, Math.floor((n - conv_kernel[i]!) / conv_stride[i]!) + 1);
}

/**
 * A speech model of any {@linkcode ModelType} on the device, dense or compact, with a CTC head, a classification head or no head.
 *
 * @example
 * ```ts
 * import { parseConfig, randomCheckpoint, requestGpu, SpeechModel } from "../mod.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * using gpu = await requestGpu();
 * using model = new SpeechModel(gpu, randomCheckpoint(config, 1));
 * const output = gpu.scope(() => model.forward({ samples: gpu.zeros([2, 3200]) }));
 * console.log(output.hidden.shape, output.frameLengths); // [2, 9, 96] [9, 9]
 * ```
 */
export class SpeechModel {
  /** Architecture. */
  readonly config: ModelConfig;
  /** Head on top of the Transformer. */
  readonly head: HeadKind;
  /** Weights by published name, without the model prefix. */
  readonly weights: Weights;
  /** For each convolution with a padded width: 1 for the model's channels, 0 for padding, [C]; else null. */
  readonly #channelMasks: readonly (Tensor | null)[];
  /** Weight and bias of layer norms that have none, [d]; null if there are no such norms. */
  readonly #plainNorm: { readonly w: Tensor; readonly b: Tensor } | null;

  /**
   * Uploads the weights of a model.
   *
   * @param gpu Device.
   * @param host Config, and weights on the host or already on the device.
   * @param half Whether weights and activations that only GEMMs read are f16. Accumulation, norms, softmax and the residual stream
   * stay f32. Such a model cannot be trained.
   * @throws {TypeError} If `half` is set and the adapter lacks shader-f16.
   * @throws {RangeError} If a weight overflows f16.
   */
  constructor(gpu: Gpu, host: HostModel | DeviceModel, half = false) {
    this.config = host.config;
    this.head = host.head;
    this.#channelMasks = host.config.conv_dim.map((channels) => {
      const padded = paddedUnits("conv", channels);
      return padded === channels ? null : gpu.tensor(new Float32Array(padded).fill(1, 0, channels));
    });
    const filled = (value: number) => gpu.tensor(new Float32Array(host.config.hidden_size).fill(value));
    this.#plainNorm = hasPositionalStack(host.config) ? { w: filled(1), b: filled(0) } : null;
    if ("weights" in host) {
      this.weights = host.weights;
      return;
    }
    this.weights = new Weights(gpu, half);
    const pad = shapePadder(host.config);
    const order = new Map(parameterSpecs(host.config, host.head).map(({ name }, i) => [name, i]));
    const rank = (name: string) => order.get(name) ?? order.size;
    const tensors = [...host.tensors].map(([published, tensor]) => {
      return [withoutPrefix(published), tensor] as const;
    });
    for (const [name, { shape, data }] of tensors.toSorted(([a], [b]) => rank(a) - rank(b))) {
      this.weights.add(name, shape, data, pad(name, shape));
    }
    host.config.num_attention_heads.forEach((heads, layer) => {
      if (heads === 0) return;
      for (const part of ["weight", "bias"]) this.weights.stack(projections(layer, part));
    });
  }

  /** The device. */
  get gpu(): Gpu {
    return this.weights.gpu;
  }

  /**
   * Runs the forward pass. Call it inside {@linkcode Gpu.scope}. Gradients are recorded if weights or gates require them.
   *
   * @throws {RangeError} If an utterance is too short for one frame.
   */
  forward(batch: Batch, options: ForwardOptions = {}): Output {
    const { config, weights, gpu } = this;
    const [utterances, samples] = batch.samples.shape as [number, number];
    const frames = framesOf(config, samples);
    const valid = batch.lengths?.map((length) => framesOf(config, length)) ?? null;
    if (frames === 0 || valid?.some((n) => n === 0)) {
      const shortest = Math.min(samples, ...batch.lengths ?? []);
      throw new RangeError(
        `Cannot run the model as each utterance must have at least one frame: one has ${shortest} samples`,
      );
    }
    const { gates = null, training = null, observe, paddingInvariant = false } = options;
    const checkpointing = options.gradCheckpoint === true && observe === undefined;
    const allGates = [gates?.conv ?? [], gates?.heads ?? [], gates?.ffn ?? []].flat();
    // A function, since a derived weight exists only once a layer has read it.
    const differentiable = () => [...weights.differentiable, ...allGates.filter((gate) => gate !== null)];
    const recorded = recording(differentiable());
    const states: Tensor[] = [];
    const context: ForwardContext = {
      config,
      weights,
      gates,
      openChannels: this.#channelMasks.map((mask, i) => gates?.conv[i] ?? mask),
      plainNorm: this.#plainNorm,
      frameLengths: valid,
      normLengths: paddingInvariant && batch.lengths
        ? batch.lengths.map((n) => framesAfter(config, 0, n))
        : null,
      hiddenState: this.#isWeighted ? (x) => void states.push(meanFrames(x, valid)) : null,
      activationDtype: weights.half ? "f16" : "f32",
      training,
      observes: () => observe !== undefined,
      observe: (name, x) => observe?.(name, gpu.keep(x.view())),
      applyAndFree(x, fn) {
        if (recorded) return fn(x);
        const y = gpu.scope(() => fn(x));
        if (x !== batch.samples) x.dispose();
        return y;
      },
      checkpoint: (x, fn, shared = []) =>
        recorded && checkpointing ? gradientCheckpoint(x, [...differentiable(), ...shared], fn) : fn(x),
    };
    const hidden = encode(context, projectFeatures(context, encodeFeatures(context, batch.samples)));
    const frameLengths = valid ?? new Array<number>(utterances).fill(frames);
    const dropped = drop(context, "head", config.final_dropout, hidden);
    const logits = this.#isWeighted ? this.#weightedLogits(states) : this.#logits(dropped, valid);
    return { logits, hidden, frameLengths };
  }

  /** Frees the memory of the model. */
  dispose(): void {
    this.weights.dispose();
    for (const tensor of [...this.#channelMasks, this.#plainNorm?.w, this.#plainNorm?.b]) tensor?.dispose();
  }

  /** Frees the model at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Whether the classification head reads all hidden states. */
  get #isWeighted(): boolean {
    return this.head === "classify" && this.config.use_weighted_layer_sum;
  }

  /** The mean over frames is taken before the linear projection, which gives the same as after it. */
  #weightedLogits(states: readonly Tensor[]): Tensor {
    const projector = this.weights.layer("projector");
    const classifier = this.weights.layer("classifier");
    const pooled = weightedLayerSum(states, this.weights.get(LAYER_WEIGHTS));
    return linear(linear(pooled, projector.w, projector.b), classifier.w, classifier.b);
  }

  #logits(hidden: Tensor, valid: readonly number[] | null): Tensor | null {
    const { head, weights } = this;
    if (head === "none") return null;
    if (head === "ctc") {
      const { w, b } = weights.layer("lm_head");
      return linear(hidden, w, b);
    }
    const projector = weights.layer("projector");
    const classifier = weights.layer("classifier");
    const pooled = meanFrames(linear(hidden, projector.w, projector.b), valid);
    return linear(pooled, classifier.w, classifier.b);
  }
}
