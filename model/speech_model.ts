import { linear } from "../kernels/linear.ts";
import { meanFrames } from "../kernels/mean_frames.ts";
import { gradientCheckpoint } from "../tensor/gradient_checkpoint.ts";
import { recording } from "../tensor/tape.ts";
import type { Gpu } from "../tensor/gpu.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { HeadKind, ModelConfig } from "./config.ts";
import { paddedUnits, shapePadder } from "./padded_widths.ts";
import { parameterSpecs, projections } from "./parameter_specs.ts";
import { encode } from "./encoder.ts";
import { encodeFeatures, projectFeatures } from "./feature_encoder.ts";
import type { Gates } from "./gates.ts";
import { Weights } from "./weights.ts";
import { drop } from "./dropouts.ts";
import type { ForwardContext, Training } from "./forward_context.ts";

/** A model's weights on the host. */
export interface HostModel {
  /** Architecture. */
  readonly config: ModelConfig;
  /** What follows the Transformer. */
  readonly head: HeadKind;
  /** Weights by published name, in the published order, with or without the model's prefix. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

/** A model's weights on the device. */
export interface DeviceModel {
  /** Architecture. */
  readonly config: ModelConfig;
  /** What follows the Transformer. */
  readonly head: HeadKind;
  /** Weights by published name, without the model's prefix. */
  readonly weights: Weights;
}

/** Normalised audio of some clips. */
export interface Batch {
  /** Samples at 16 kHz, [B, S], padded with zeros. */
  readonly samples: Tensor;
  /** Valid samples of each clip, where the model was trained with an attention mask; else null. */
  readonly lengths?: readonly number[] | null;
}

/** Options of {@linkcode SpeechModel.forward}. */
export interface ForwardOptions {
  /** Gates of the units; all open unless given. */
  readonly gates?: Gates | null;
  /** What a training step draws; nothing is dropped or masked unless given. */
  readonly training?: Training | null;
  /** Is shown the activations by name; it owns the tensors that it gets. */
  readonly observe?: (name: string, x: Tensor) => void;
  /**
   * Whether each clip is heard as if it were alone: a norm over time counts its own frames alone, too. Lengths must be
   * given. Published models count padding there, even if they are told the lengths.
   */
  readonly alone?: boolean;
  /** Whether gradients compute the inside of every layer again instead of keeping it; not while somebody observes. */
  readonly gradCheckpoint?: boolean;
}

/** What a model makes of a batch. */
export interface Output {
  /** Per frame [B, T, V] with a CTC head, per clip [B, labels] with a classification head; else null. */
  readonly logits: Tensor | null;
  /** Last hidden state, [B, T, d]. */
  readonly hidden: Tensor;
  /** Valid frames of each clip. */
  readonly frameLengths: readonly number[];
}

/**
 * Frames that come out of the convolutions for a number of samples; 0 if there are too few.
 *
 * @example
 * ```ts
 * import { framesOf, parseConfig } from "../mod.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/wav2vec2-base.json"));
 * console.log(framesOf(config, 16_000)); // 49: a second
 * ```
 */
export function framesOf(config: ModelConfig, samples: number): number {
  return config.conv_kernel.reduce((n, _, i) => framesAfter(config, i, n), samples);
}

/** Frames that come out of convolution `i` for `n` that go in. */
function framesAfter({ conv_kernel, conv_stride }: ModelConfig, i: number, n: number): number {
  return Math.max(0, Math.floor((n - conv_kernel[i]!) / conv_stride[i]!) + 1);
}

/**
 * wav2vec 2.0, HuBERT or WavLM on the device, dense or compact, with a CTC head, a classification head or none.
 *
 * Shapes: B clips, S samples, T frames, C channels, H heads, D head size, d hidden size, V vocabulary.
 *
 * @example
 * ```ts
 * import { parseConfig, randomCheckpoint, requestGpu, SpeechModel } from "../mod.ts";
 *
 * const config = parseConfig(await Deno.readTextFile("recipes/configs/tiny-base.json"));
 * const gpu = await requestGpu();
 * const model = new SpeechModel(gpu, randomCheckpoint(config, 1));
 * const output = gpu.scope(() => model.forward({ samples: gpu.zeros([2, 3200]) }));
 * console.log(output.hidden.shape, output.frameLengths); // [2, 9, 96] [9, 9]
 * gpu.destroy();
 * ```
 */
export class SpeechModel {
  /** Architecture. */
  readonly config: ModelConfig;
  /** What follows the Transformer. */
  readonly head: HeadKind;
  /** Weights by published name, without the model's prefix. */
  readonly weights: Weights;
  /** Of each convolution that the device fills up, 1 for its own channels and 0 for the others, [C]; else null. */
  readonly #channels: readonly (Tensor | null)[];

  /**
   * Uploads a model.
   *
   * @param gpu Device.
   * @param host Config and weights; the weights may be on the device already.
   * @param half Whether weights of products, and what goes from one product to the next, are f16; sums, norms, softmax and the
   * residual stream are f32 all the same. Such a model cannot be trained.
   * @throws {TypeError} If it is to be f16 and the adapter has no such numbers.
   * @throws {RangeError} If a weight is no number of f16.
   */
  constructor(gpu: Gpu, host: HostModel | DeviceModel, half = false) {
    this.config = host.config;
    this.head = host.head;
    this.#channels = host.config.conv_dim.map((channels) => {
      const all = paddedUnits("conv", channels);
      return all === channels ? null : gpu.tensor(new Float32Array(all).fill(1, 0, channels));
    });
    if ("weights" in host) {
      this.weights = host.weights;
      return;
    }
    this.weights = new Weights(gpu, half);
    const widen = shapePadder(host.config);
    const places = new Map(parameterSpecs(host.config, host.head).map(({ name }, i) => [name, i]));
    const place = (name: string) => places.get(name) ?? places.size;
    const tensors = [...host.tensors].map(([published, tensor]) => {
      return [published.replace(/^(wav2vec2|hubert|wavlm)\./, ""), tensor] as const;
    });
    for (const [name, { shape, data }] of tensors.toSorted(([a], [b]) => place(a) - place(b))) {
      this.weights.add(name, shape, data, widen(name, shape));
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
   * Runs a batch. Call it inside {@linkcode Gpu.scope}; gradients are recorded if weights or gates require them.
   *
   * @throws {RangeError} If a clip is too short for one frame.
   */
  forward(batch: Batch, options: ForwardOptions = {}): Output {
    const { config, weights, gpu } = this;
    const [clips, samples] = batch.samples.shape as [number, number];
    const frames = framesOf(config, samples);
    const valid = batch.lengths?.map((length) => framesOf(config, length)) ?? null;
    if (frames === 0 || valid?.some((n) => n === 0)) {
      const shortest = Math.min(samples, ...batch.lengths ?? []);
      throw new RangeError(`Cannot run the model as a clip must be one frame long: ${shortest} samples`);
    }
    const { gates = null, training = null, observe, alone = false } = options;
    const again = options.gradCheckpoint === true && observe === undefined;
    const every = [gates?.conv ?? [], gates?.heads ?? [], gates?.ffn ?? []].flat();
    const followed = () => [...weights.followed, ...every.filter((gate) => gate !== null)];
    const recorded = recording(followed());
    const context: ForwardContext = {
      config,
      weights,
      gates,
      open: this.#channels.map((channels, i) => gates?.conv[i] ?? channels),
      frameLengths: valid,
      normLengths: alone && batch.lengths ? batch.lengths.map((n) => framesAfter(config, 0, n)) : null,
      between: weights.half ? "f16" : "f32",
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
        recorded && again ? gradientCheckpoint(x, [...followed(), ...shared], fn) : fn(x),
    };
    const hidden = encode(context, projectFeatures(context, encodeFeatures(context, batch.samples)));
    const frameLengths = valid ?? new Array<number>(clips).fill(frames);
    const kept = drop(context, "head", config.final_dropout, hidden);
    return { logits: this.#logits(kept, valid), hidden, frameLengths };
  }

  /** Gives the weights' memory back. */
  dispose(): void {
    this.weights.dispose();
    for (const channels of this.#channels) channels?.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
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
