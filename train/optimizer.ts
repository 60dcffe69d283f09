import { adamw } from "../kernels/adamw.ts";
import { ofShape, ofType, sameDevice } from "../kernels/internal/checks.ts";
import { clipNorm, sumSquares } from "../kernels/clip_grad_norm.ts";
import { Arena, splitIntoArenas } from "../tensor/arena.ts";
import type { GradientSink } from "../tensor/gradient_sink.ts";
import { showShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type AdamWGroup, type AdamWStepOptions, type Moments, withGroupDefaults } from "./adamw_options.ts";

/** Gradients in adjacent memory. */
export interface GradientBucket {
  /** Parameters that they belong to. */
  readonly params: readonly Tensor[];
  /** Makes gradients that this step has not computed 0, and returns all of them, [n]; the caller disposes it. */
  complete(): Tensor;
}

/** Parameters of one group in one buffer, and their gradients and moments in others, in the same order. */
interface Block {
  readonly group: Required<AdamWGroup>;
  readonly w: Arena;
  readonly dw: Arena;
  readonly m: Arena;
  readonly v: Arena;
}

/** Slot of a parameter, and what its gradient's slot holds. */
interface Place {
  readonly block: Block;
  readonly slot: number;
  /** Zeros, the gradient of the last step, memory handed out by `slot`, or a gradient of this step. */
  gradient: "zeros" | "old" | "promised" | "new";
}

/**
 * Adam with decoupled weight decay, as torch.optim.AdamW (Loshchilov and Hutter, ICLR 2019), on the device: nothing
 * is read back. It moves the parameters of a group into one buffer; the tensors stay valid, but views made of them
 * before still point to the old memory. Create it outside a scope, since it keeps tensors.
 *
 * @example
 * ```ts
 * import { AdamW, backward, requestGpu, scale, sum } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const w = gpu.tensor([1, 2]);
 * w.requiresGrad = true;
 * const optimizer = new AdamW([{ params: [w], lr: 0.5, weightDecay: 0.5 }]);
 * for (const share of [0.25, 0.75]) { // two micro-batches
 *   gpu.scope(() => optimizer.accumulate(backward(scale(sum(w), share))));
 * }
 * optimizer.step({ lrScale: 0.5, maxGradNorm: 1 });
 * console.log(await w.read(), await optimizer.gradNorm.read()); // 0.875·w − 0.25: [0.625, 1.5]; √2
 * gpu.destroy();
 * ```
 */
export class AdamW implements GradientSink {
  /** Steps so far, skipped ones included. To resume, set it together with the moments. */
  steps = 0;
  /** Norm over all gradients of the last step, before clipping, []. If it is not finite, the step changed nothing. */
  readonly gradNorm: Tensor;
  readonly #blocks: Block[] = [];
  readonly #places = new Map<Tensor, Place>();
  /** Sum of squares of the accumulated gradients, []; null if it is not known. */
  #squares: Tensor | null = null;

  /**
   * Moves the parameters, and allocates moments of zeros.
   *
   * @param groups Groups of parameters.
   * @throws {TypeError} If there is no parameter, or one is not f32, of another device, or in two groups.
   * @throws {RangeError} If an option of a group is out of range.
   */
  constructor(groups: readonly AdamWGroup[]) {
    const params = groups.flatMap((group) => group.params);
    const [first] = params;
    if (!first) throw new TypeError(`Cannot optimize as there must be a parameter: found 0`);
    sameDevice("optimize", first, ...params);
    params.forEach((param, i) => ofType("optimize", `parameter ${i}`, param, "f32"));
    const again = params.findIndex((param, i) => params.indexOf(param) !== i);
    if (again >= 0) {
      const found = `parameter ${again}, ${showShape(params[again]!.shape)}, came before`;
      throw new TypeError(`Cannot optimize as each parameter must be in one group once: ${found}`);
    }
    const { gpu } = first;
    for (const group of groups.map(withGroupDefaults)) {
      const sizes = group.params.map((param) => param.size);
      for (const members of splitIntoArenas(sizes, gpu.device.limits.maxBufferSize / 4)) {
        this.#place(group, members.map((i) => group.params[i]!));
      }
    }
    this.gradNorm = gpu.zeros([]);
    // The former buffers of the parameters take as much memory as the model.
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
   * Adds gradients to those of the next step. Scale the loss of a micro-batch by its share beforehand.
   *
   * @param grads Gradients by parameter, as {@linkcode backward} returns them; those of other tensors are ignored. The
   * caller disposes them.
   * @throws {TypeError} If a gradient is not f32 of the parameter's shape, or of another device.
   */
  accumulate(grads: ReadonlyMap<Tensor, Tensor>): void {
    for (const [param, grad] of grads) this.take(param, grad);
  }

  /**
   * Adds a gradient, or a part of one, to those of the next step; see {@linkcode GradientSink.take}.
   *
   * @param param Any tensor.
   * @param grad Its gradient; the caller disposes it.
   * @returns Whether the tensor is a parameter; if not, nothing happens.
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
    const inPlace = grad.storage === dw.flat.storage && grad.offset === dw.slots[slot]!.offset;
    if (place.gradient === "new") dw.add(slot, grad);
    else if (!inPlace) dw.write(slot, grad);
    place.gradient = "new";
    return true;
  }

  /**
   * Memory for the first part of a gradient of the next step, to be passed to `take`; see {@linkcode GradientSink.slot}.
   *
   * @param param Any tensor.
   * @returns A tensor that the caller disposes; null if the tensor is not a parameter or has a gradient already.
   */
  slot(param: Tensor): Tensor | null {
    const place = this.#places.get(param);
    if (!place || place.gradient === "new" || place.gradient === "promised") return null;
    this.#forgetSquares();
    place.gradient = "promised";
    return place.block.dw.slots[place.slot]!.view();
  }

  /**
   * The gradients of this step as runs of adjacent memory, each of about `bytes`, in the reverse order of the parameters, as the backward
   * pass computes them. For the exchange of gradients.
   *
   * @internal
   */
  gradientBuckets(bytes: number): GradientBucket[] {
    const buckets: GradientBucket[] = [];
    for (const block of this.#blocks) {
      const params = [...this.#places].filter(([, place]) => place.block === block);
      for (let end = params.length; end > 0;) {
        let start = end - 1;
        const last = block.dw.slots[end - 1]!;
        const sizeFrom = (slot: number) => last.offset + last.size - block.dw.slots[slot]!.offset;
        while (start > 0 && 4 * sizeFrom(start - 1) <= bytes) start--;
        const members = params.slice(start, end);
        const { storage, gpu } = block.dw.flat;
        const view = () => new Tensor(gpu, storage, [sizeFrom(start)], "f32", block.dw.slots[start]!.offset);
        buckets.push({
          params: members.map(([param]) => param),
          complete: () => {
            for (const [, place] of members) if (place.gradient !== "new") block.dw.write(place.slot, null);
            for (const [, place] of members) place.gradient = "new";
            this.#forgetSquares();
            return view();
          },
        });
        end = start;
      }
    }
    return buckets;
  }

  /**
   * Updates the parameters with the gradients accumulated since the last step. A parameter without a gradient has
   * gradient 0: its moments and its decay continue. If the norm of the gradients is not finite, nothing changes except
   * `steps`.
   *
   * @throws {RangeError} If no gradient was accumulated, or if lrScale is below 0 or maxGradNorm not above 0.
   */
  step({ lrScale = 1, maxGradNorm = Infinity }: AdamWStepOptions = {}): void {
    if (!(lrScale >= 0 && lrScale < Infinity)) {
      throw new RangeError(`Cannot optimize as lrScale must be a number from 0: found ${lrScale}`);
    }
    if (!(maxGradNorm > 0)) {
      throw new RangeError(`Cannot optimize as maxGradNorm must be above 0: found ${maxGradNorm}`);
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
   * 2-norm over the gradients accumulated since the last step, for clipping them together with others.
   *
   * @throws {RangeError} If no gradient was accumulated.
   */
  async norm(): Promise<number> {
    this.#accumulated();
    const { norm, factor } = clipNorm(this.#sumSquares(), Infinity);
    factor.dispose();
    using read = norm;
    const [value] = await read.read();
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

  /** All places, after zeroing the gradients of parameters without one in this step. */
  #accumulated(): Place[] {
    const places = [...this.#places.values()];
    if (places.every((place) => place.gradient !== "new")) {
      throw new RangeError(`Cannot optimize as a gradient must have been accumulated: found 0`);
    }
    for (const place of places) {
      if (place.gradient === "new" || place.gradient === "zeros") continue;
      place.block.dw.write(place.slot, null);
      place.gradient = "zeros";
    }
    return places;
  }

  /**
   * Moments by parameter, in the order of the groups. Read them to save the state, copy into them to restore it. They
   * change with every step, and the optimizer disposes them.
   */
  state(): Map<Tensor, Moments> {
    return new Map(
      this.#places.entries().map(([param, { block: { m, v }, slot }]) =>
        [param, { expAvg: m.slots[slot]!, expAvgSq: v.slots[slot]! }] as const
      ),
    );
  }

  /** Frees its memory, except for the parameters, which stay valid. */
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
