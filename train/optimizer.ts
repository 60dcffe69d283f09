import { adamw } from "../kernels/adamw.ts";
import { ofShape, ofType, sameDevice } from "../kernels/internal/checks.ts";
import { clipNorm, sumSquares } from "../kernels/clip_grad_norm.ts";
import { Arena, splitIntoArenas } from "../tensor/arena.ts";
import type { GradientSink } from "../tensor/gradient_sink.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Parameters that {@linkcode AdamW} updates alike. */
export interface AdamWGroup {
  /** f32 tensors; each is in one group. */
  readonly params: readonly Tensor[];
  /** Learning rate, from 0. */
  readonly lr: number;
  /** Shares that the averages of the gradient and of its square keep in a step; 0.9 and 0.999 unless given. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the averaged square, above 0; 1e-8 unless given. */
  readonly eps?: number;
  /** Share of the parameter, times the learning rate, taken off in a step; 0 unless given. */
  readonly weightDecay?: number;
  /** Goes up the gradient. The averages are those of the gradient as it is. */
  readonly maximize?: boolean;
}

/** Options of {@linkcode AdamW.step}. */
export interface AdamWStep {
  /** Factor of every group's learning rate, as a schedule gives it; 1 unless given. */
  readonly lrScale?: number;
  /** Norm over all gradients that they are scaled down to if they exceed it; none unless given. */
  readonly maxGradNorm?: number;
}

/** Averages that {@linkcode AdamW} keeps of a parameter, in its shape. */
export interface Moments {
  /** Average of the gradient. */
  readonly expAvg: Tensor;
  /** Average of its square. */
  readonly expAvgSq: Tensor;
}

/** Parameters of one group that share a buffer, their gradients and averages, in the same order. */
interface Block {
  readonly group: Required<AdamWGroup>;
  readonly w: Arena;
  readonly dw: Arena;
  readonly m: Arena;
  readonly v: Arena;
}

/** Where a parameter lies, and what its gradient's slot holds. */
interface Place {
  readonly block: Block;
  readonly slot: number;
  gradient: "zeros" | "old" | "promised" | "new";
}

const DOING = "optimize";

function complete(group: AdamWGroup, number: number): Required<AdamWGroup> {
  const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0, maximize = false, lr } = group;
  const demand = (name: string, value: number, fits: boolean, rule: string) => {
    if (fits && value < Infinity) return;
    throw new RangeError(`Cannot ${DOING} as ${name} must be ${rule}: groups[${number}] has ${value}`);
  };
  demand("lr", lr, lr >= 0, "a number from 0");
  demand("eps", eps, eps > 0, "above 0");
  demand("weightDecay", weightDecay, weightDecay >= 0, "a number from 0");
  betas.forEach((beta, i) => demand(`betas[${i}]`, beta, beta >= 0 && beta < 1, "from 0 to below 1"));
  return { params: group.params, lr, betas, eps, weightDecay, maximize };
}

/**
 * Adam with decoupled weight decay, as torch.optim.AdamW (Loshchilov and Hutter, ICLR 2019), on the device: nothing
 * is read back. It moves the parameters of a group into one buffer; the tensors stay valid, views made of them
 * before do not follow. Make it outside a scope, since it keeps tensors of its own.
 *
 * @example
 * ```ts
 * import { AdamW, backward, requestGpu, scale, sum } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const w = gpu.tensor([1, 2]);
 * w.requiresGrad = true;
 * const optimizer = new AdamW([{ params: [w], lr: 0.5, weightDecay: 0.5 }]);
 * for (const share of [0.25, 0.75]) { // of two micro-batches
 *   gpu.scope(() => optimizer.accumulate(backward(scale(sum(w), share))));
 * }
 * optimizer.step({ lrScale: 0.5, maxGradNorm: 1 });
 * console.log(await w.read(), await optimizer.gradNorm.read()); // 0.875·w − 0.25: [0.625, 1.5]; √2
 * gpu.destroy();
 * ```
 */
export class AdamW implements GradientSink {
  /** Updates so far, those that were skipped included; set it together with the moments to go on from there. */
  steps = 0;
  /** Norm over all gradients in the last step, before clipping, []. If it is not finite, nothing was changed. */
  readonly gradNorm: Tensor;
  readonly #blocks: Block[] = [];
  readonly #places = new Map<Tensor, Place>();
  /** Sum of the squares of the gradients as they are, if somebody has asked, []. */
  #squares: Tensor | null = null;

  /**
   * Moves the parameters and makes their averages, of zeros.
   *
   * @param groups Groups of parameters with their rates.
   * @throws {TypeError} If there is no parameter, or one is not f32, of another device, or in two groups.
   * @throws {RangeError} If a rate, average or decay is out of its range.
   */
  constructor(groups: readonly AdamWGroup[]) {
    const params = groups.flatMap((group) => group.params);
    const [first] = params;
    if (!first) throw new TypeError(`Cannot ${DOING} as there must be a parameter: found none`);
    sameDevice(DOING, first, ...params);
    params.forEach((param, i) => ofType(DOING, `parameter ${i}`, param, "f32"));
    const again = params.findIndex((param, i) => params.indexOf(param) !== i);
    if (again >= 0) {
      const found = `parameter ${again}, ${showShape(params[again]!.shape)}, came before`;
      throw new TypeError(`Cannot ${DOING} as each parameter must be in one group once: ${found}`);
    }
    const { gpu } = first;
    for (const group of groups.map(complete)) {
      const sizes = group.params.map((param) => param.size);
      for (const members of splitIntoArenas(sizes, gpu.device.limits.maxBufferSize / 4)) {
        this.#place(group, members.map((i) => group.params[i]!));
      }
    }
    this.gradNorm = gpu.zeros([]);
    // The buffers that the parameters have left are as large as the model.
    gpu.flush();
    gpu.pool.trim();
  }

  #place(group: Required<AdamWGroup>, params: readonly Tensor[]): void {
    const shapes = params.map((param) => param.shape);
    const arena = () => new Arena(params[0]!.gpu, shapes);
    const block: Block = { group, w: arena(), dw: arena(), m: arena(), v: arena() };
    this.#blocks.push(block);
    block.w.adopt(params);
    params.forEach((param, slot) => this.#places.set(param, { block, slot, gradient: "zeros" }));
  }

  /**
   * Adds gradients to those of the step to come. Scale the loss of a micro-batch by its share beforehand.
   *
   * @param grads Gradient by parameter, as {@linkcode backward} returns them; of tensors that are no parameters,
   * they are left alone. They stay the caller's.
   * @throws {TypeError} If a gradient is not f32 of the parameter's shape, or of another device.
   */
  accumulate(grads: ReadonlyMap<Tensor, Tensor>): void {
    for (const [param, grad] of grads) this.take(param, grad);
  }

  /**
   * Adds a gradient, or a part of one, to those of the step to come; as {@linkcode GradientSink.take}.
   *
   * @param param Any tensor.
   * @param grad Its gradient; it stays the caller's.
   * @returns Whether the tensor is a parameter; else nothing is done.
   * @throws {TypeError} As {@linkcode AdamW.accumulate}.
   */
  take(param: Tensor, grad: Tensor): boolean {
    const place = this.#places.get(param);
    if (!place) return false;
    sameDevice("accumulate gradients", param, grad);
    ofType("accumulate gradients", "the gradient", grad, "f32");
    ofShape("accumulate gradients", "the gradient", grad, param.shape);
    this.#forgetSquares();
    const { block: { dw }, slot } = place;
    const there = grad.storage === dw.flat.storage && grad.offset === dw.slots[slot]!.offset;
    if (place.gradient === "new") dw.add(slot, grad);
    else if (!there) dw.write(slot, grad);
    place.gradient = "new";
    return true;
  }

  /**
   * Memory for the first part of a gradient of the step to come, to be taken then; as {@linkcode GradientSink.slot}.
   *
   * @param param Any tensor.
   * @returns A tensor that the caller disposes, or null if there is no such memory.
   */
  slot(param: Tensor): Tensor | null {
    const place = this.#places.get(param);
    if (!place || place.gradient === "new" || place.gradient === "promised") return null;
    this.#forgetSquares();
    place.gradient = "promised";
    return place.block.dw.slots[place.slot]!.view();
  }

  /**
   * Updates the parameters by the gradients accumulated since the last step; a parameter without one counts as one
   * of gradient 0, so that its averages and its decay go on. If the norm of the gradients is not finite, nothing
   * changes but `steps`.
   *
   * @throws {RangeError} If no gradient was accumulated, or if lrScale is below 0 or maxGradNorm not above 0.
   */
  step({ lrScale = 1, maxGradNorm = Infinity }: AdamWStep = {}): void {
    if (!(lrScale >= 0 && lrScale < Infinity)) {
      throw new RangeError(`Cannot ${DOING} as lrScale must be a number from 0: found ${lrScale}`);
    }
    if (!(maxGradNorm > 0)) {
      throw new RangeError(`Cannot ${DOING} as maxGradNorm must be above 0: found ${maxGradNorm}`);
    }
    const places = this.#accumulated();
    const { norm, factor } = clipNorm(this.#sumSquares(), maxGradNorm);
    norm.gpu.copy(norm, this.gradNorm);
    const step = ++this.steps;
    for (const { group, w, dw, m, v } of this.#blocks) {
      const lr = group.lr * lrScale * (group.maximize ? -1 : 1);
      adamw({ w: w.flat, dw: dw.flat, m: m.flat, v: v.flat, factor }, { ...group, lr, step });
    }
    for (const place of places) if (place.gradient === "new") place.gradient = "old";
    this.#forgetSquares();
    norm.dispose();
    factor.dispose();
  }

  /**
   * The 2-norm over the gradients accumulated since the last step, as {@linkcode AdamW.step} will find it; for who clips
   * them together with others.
   *
   * @throws {RangeError} If no gradient was accumulated.
   */
  async norm(): Promise<number> {
    this.#accumulated();
    const { norm, factor } = clipNorm(this.#sumSquares(), Infinity);
    factor.dispose();
    using found = norm;
    const [value] = await found.read();
    return value!;
  }

  #sumSquares(): Tensor {
    const { gpu } = this.gradNorm;
    return this.#squares ??= gpu.keep(sumSquares(this.#blocks.map((block) => block.dw.flat)));
  }

  #forgetSquares(): void {
    this.#squares?.dispose();
    this.#squares = null;
  }

  /** All places, those without a gradient of this step being zeros. */
  #accumulated(): Place[] {
    const places = [...this.#places.values()];
    if (places.every((place) => place.gradient !== "new")) {
      throw new RangeError(`Cannot ${DOING} as a gradient must have been accumulated: found none`);
    }
    for (const place of places) {
      if (place.gradient === "new" || place.gradient === "zeros") continue;
      place.block.dw.write(place.slot, null);
      place.gradient = "zeros";
    }
    return places;
  }

  /**
   * The averages by parameter, in the order of the groups: read them to save the state, copy into them to restore
   * it. They are the optimizer's and change with every step.
   */
  state(): Map<Tensor, Moments> {
    return new Map(
      this.#places.entries().map(([param, { block: { m, v }, slot }]) =>
        [param, { expAvg: m.slots[slot]!, expAvgSq: v.slots[slot]! }] as const
      ),
    );
  }

  /** Gives its memory back, but for the parameters, which stay valid. */
  dispose(): void {
    this.#forgetSquares();
    for (const { w, dw, m, v } of this.#blocks) for (const arena of [w, dw, m, v]) arena.dispose();
    this.gradNorm.dispose();
  }

  /** Disposes it at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
