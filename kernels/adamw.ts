import index from "../tensor/_index.wgsl" with { type: "text" };
import { runEach, wideKernel } from "../tensor/rows.ts";
import type { Tensor } from "../tensor/tensor.ts";
import source from "./adamw.wgsl" with { type: "text" };
import { ofShape, ofType, sameDevice } from "./internal/checks.ts";

const kernels = wideKernel("adamw", source, [index]);

/** Tensors of {@linkcode adamw}; all but the factor have one shape. */
export interface AdamwTensors {
  /** Parameters. */
  readonly w: Tensor;
  /** Gradient. */
  readonly dw: Tensor;
  /** First moment: moving average of the gradient. */
  readonly m: Tensor;
  /** Second moment: moving average of the squared gradient. */
  readonly v: Tensor;
  /** Factor of the gradient, [], such as {@linkcode clipGradNorm} returns. At 0 the step changes nothing. */
  readonly factor: Tensor;
}

/** Hyperparameters of {@linkcode adamw}. */
export interface AdamwRates {
  /** Learning rate; a negative one ascends. */
  readonly lr: number;
  /** Decay of the first and of the second moment, each from 0 to below 1. */
  readonly betas: readonly [number, number];
  /** Added to the root of the second moment, above 0. */
  readonly eps: number;
  /** Decoupled weight decay: w is multiplied by 1 − |lr|·weightDecay. */
  readonly weightDecay: number;
  /** This step, from 1. */
  readonly step: number;
}

/**
 * One step of Adam with decoupled weight decay, in place, as torch.optim.AdamW (Loshchilov and Hutter, ICLR 2019).
 * It is not recorded on the tape. `AdamW` in `train/optimizer.ts` applies it to all parameters.
 *
 * @throws {TypeError} If a tensor is not f32, or has another shape or device.
 * @example
 * ```ts
 * import { adamw, clipGradNorm, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const [w, dw, m, v] = [gpu.tensor([1]), gpu.tensor([-5]), gpu.zeros([1]), gpu.zeros([1])];
 * const { factor } = clipGradNorm([dw], 1);
 * adamw({ w, dw, m, v, factor }, { lr: 0.5, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.5, step: 1 });
 * console.log(await w.read()); // 0.75·1 + 0.5: [1.25]
 * ```
 */
export function adamw(tensors: AdamwTensors, { lr, betas, eps, weightDecay, step }: AdamwRates): void {
  const { w, dw, m, v, factor } = tensors;
  sameDevice("run AdamW", w, dw, m, v, factor);
  for (const [name, tensor] of Object.entries(tensors)) {
    ofType("run AdamW", name, tensor, "f32");
    ofShape("run AdamW", name, tensor, name === "factor" ? [] : w.shape);
  }
  const [beta1, beta2] = betas;
  runEach(w.gpu, kernels, w.size, {
    each: { w, dw, m, v },
    whole: { factor },
    params: {
      decay: 1 - Math.abs(lr) * weightDecay,
      rate: lr / (1 - beta1 ** step),
      spread: 1 / Math.sqrt(1 - beta2 ** step),
      eps,
      beta1,
      beta2,
      rest1: 1 - beta1,
      rest2: 1 - beta2,
    },
  });
}
