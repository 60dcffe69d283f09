import { emptyBatch, stridedBatchOf } from "../tensor/strided_batch.ts";
import { roundUp } from "../tensor/align.ts";
import { noGrad, record, recording } from "../tensor/tape.ts";
import { showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { dropout, type DropoutOptions } from "./dropout.ts";
import { gemm } from "./gemm/gemm.ts";
import { AttentionLayout, type AttentionSizes, type QueryBlock } from "./internal/attention_layout.ts";
import { gateGradient, gateHeads, softmax, sumUtterances } from "./internal/attention_passes.ts";
import { ofFloats, ofOperands, ofRank, ofShape, sameDevice } from "./internal/checks.ts";
import { scale as scaled } from "./scale.ts";

/** Options of {@linkcode attention}. */
export interface AttentionOptions {
  /** Number of heads H. */
  readonly heads: number;
  /** Valid frames of each utterance: keys beyond them are masked out. All frames unless given. */
  readonly lengths?: readonly number[] | null;
  /** Gate of each head, [H]; it multiplies the head's context. */
  readonly gate?: Tensor | null;
  /** Added to the scaled scores: [H, T, S] or [B, H, T, S], where S is T rounded up to a multiple of four. The padding is ignored. */
  readonly bias?: Tensor | null;
  /** Dropout of the attention weights; none unless given. */
  readonly dropout?: DropoutOptions | null;
  /** Factor of the scores; D^-0.5 unless given. */
  readonly scale?: number;
}

/**
 * Multi-head softmax attention: softmax(scale·q·kᵀ + bias)·v for each head, times the head's gate (Vaswani et al. 2017,
 * arXiv 1706.03762). Memory is linear in T, except for a bias and its gradient.
 *
 * @param q Queries, [B, T, H·D], f32 or f16.
 * @param k Keys, of the same shape.
 * @param v Values, of the same shape.
 * @returns Contexts of all heads side by side, [B, T, H·D], of the queries' type. Queries beyond an utterance's length are
 * computed too.
 * @throws {TypeError} If shapes do not match.
 * @throws {RangeError} If a length is not a whole number from 0 to T.
 * @example
 * ```ts
 * import { attention, requestGpu } from "../mod.ts";
 *
 * using gpu = await requestGpu();
 * const q = gpu.zeros([2, 2, 2]); // equal scores, equal weights
 * const v = gpu.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
 * const y = attention(q, q, v, { heads: 2, lengths: [2, 1], gate: gpu.tensor([1, 0.5]) });
 * console.log(await y.read()); // [[[2, 1.5], [2, 1.5]], [[5, 3], [5, 3]]]
 * ```
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const sizes = check(q, k, v, options);
  const { gate = null, bias = null, dropout: drops = null, scale = sizes.width ** -0.5 } = options;
  const { gpu } = q;
  const from = [q, k, v, gate, bias];
  const lengths = options.lengths ? gpu.tensor(Int32Array.from(options.lengths)) : null;
  const layout = new AttentionLayout(gpu, sizes, bias !== null);
  const call: Call = { q, k, v, gate, bias, drops, scale, lengths, layout };

  const y = gpu.empty(q.shape, q.dtype);
  const context = gate && recording(from) ? gpu.empty(q.shape) : null;
  const only = layout.blocks.length === 1 ? weigh(call, layout.blocks[0]!) : null;
  for (const block of layout.blocks) {
    const weights = only ?? weigh(call, block);
    gemm(gpu, {
      ...layout.overKeys(block),
      a: layout.scores(weights.kept, true, block),
      b: layout.heads(v, false),
      c: layout.toHeads(y, block),
      ...(gate && { gate: { tensor: gate, z2Stride: 1, nStride: 0 } }),
      ...(context && { pre: context }),
    });
    if (!only) disposeWeights(weights);
  }

  const saved = [only?.p, only?.kept, lengths, context].filter((tensor) => !!tensor);
  record("attention", from, [y], ([dy], needs) => pullBack(call, only, context, dy!, needs), saved);
  return y;
}

/** The pullback of {@linkcode attention}. */
function pullBack(
  call: Call,
  only: Weights | null,
  context: Tensor | null,
  dy: Tensor,
  [needsQ, needsK, needsV, needsGate, needsBias]: readonly boolean[],
): (Tensor | null)[] {
  const { q, k, v, gate, layout } = call;
  const { gpu } = q;
  const dgate = context && needsGate ? gateGradient(layout.sizes, dy, context, gate!) : null;
  const dc = gate ? gateHeads(layout.sizes, dy, gate) : dy.view();
  const [dk = null, dv = null, dq = null] = emptyAlike([k, v, q], [needsK!, needsV!, needsQ!]);
  let dbias: Tensor | null = null;
  for (const block of layout.blocks) {
    const weights = only ?? weigh(call, block);
    const accumulate = block.first > 0;
    if (dv) {
      const [a, b] = [layout.scores(weights.kept, false, block), layout.heads(dc, false, block)];
      gemm(gpu, { ...layout.overQueries(block), a, b, c: layout.toHeads(dv), accumulate });
    }
    if (dq || dk || needsBias) {
      const gradients = scoreGradients(call, block, weights.p, dc, needsBias!);
      const { ds } = gradients;
      dbias = gradients.dbias;
      if (dq) {
        const [a, b] = [layout.scores(ds, true, block), layout.heads(k, false)];
        gemm(gpu, { ...layout.overKeys(block), a, b, c: layout.toHeads(dq, block) });
      }
      if (dk) {
        const [a, b] = [layout.scores(ds, false, block), layout.heads(q, false, block)];
        gemm(gpu, { ...layout.overQueries(block), a, b, c: layout.toHeads(dk), accumulate });
      }
      ds.dispose();
    }
    if (!only) disposeWeights(weights);
  }
  dc.dispose();
  return [dq, dk, dv, dgate, dbias];
}

/** What forward pass and pullback of one call share. */
interface Call extends Required<Omit<AttentionOptions, "heads" | "lengths" | "dropout">> {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly drops: DropoutOptions | null;
  readonly lengths: Tensor | null;
  readonly layout: AttentionLayout;
}

/** Attention weights of a block, [B, H, queries, row], before and after dropout. */
interface Weights {
  readonly p: Tensor;
  readonly kept: Tensor;
}

function weigh({ q, k, bias, drops, scale, lengths, layout }: Call, block: QueryBlock): Weights {
  const { gpu } = q;
  const { batch, heads } = layout.sizes;
  const p = gpu.empty([batch, heads, block.queries, layout.row]);
  gemm(gpu, {
    ...layout.overWidth(block),
    a: layout.heads(q, true, block),
    b: layout.heads(k, true),
    c: layout.toScores(p, block),
  });
  softmax("forward", layout.sizes, block, { p }, { scale, lengths, bias });
  return { p, kept: dropBlock(p, drops, block) };
}

/** Gradients of a block's scores q·kᵀ, and of the bias. */
function scoreGradients(
  { q: { gpu }, v, bias, drops, scale, lengths, layout }: Call,
  block: QueryBlock,
  p: Tensor,
  dc: Tensor,
  needsBias: boolean,
): { ds: Tensor; dbias: Tensor | null } {
  const dkept = gpu.empty(p.shape);
  gemm(gpu, {
    ...layout.overWidth(block),
    a: layout.heads(dc, true, block),
    b: layout.heads(v, true),
    c: layout.toScores(dkept, block),
  });
  const dp = dropBlock(dkept, drops, block);
  dkept.dispose();
  // The bias is added after the scale, so its gradient is taken without it.
  const factor = needsBias ? 1 : scale;
  softmax("backward", layout.sizes, block, { probability: p, dp }, { scale: factor, lengths });
  const dbias = !needsBias ? null : bias!.shape.length === 4 ? dp.view() : sumUtterances(dp, bias!.shape);
  const ds = needsBias ? scaled(dp, scale) : dp.view();
  dp.dispose();
  return { ds, dbias };
}

function dropBlock(x: Tensor, drops: DropoutOptions | null, { first }: QueryBlock): Tensor {
  if (!drops) return x.view();
  const purpose = first === 0 ? drops.purpose : `${drops.purpose}, queries from ${first}`;
  return noGrad(x.gpu, () => dropout(x, { ...drops, purpose }));
}

function disposeWeights({ p, kept }: Weights): void {
  p.dispose();
  kept.dispose();
}

/** Tensors for gradients, a strided batch where the inputs are one, as of a fused linear layer; null where none is needed. */
function emptyAlike(inputs: readonly Tensor[], needs: readonly boolean[]): (Tensor | null)[] {
  const batch = needs.every((needed) => needed) ? stridedBatchOf(inputs) : null;
  batch?.span.dispose();
  const [{ gpu, shape }] = inputs as [Tensor, ...Tensor[]];
  if (batch) return emptyBatch(gpu, inputs.length, shape);
  return needs.map((needed) => needed ? gpu.empty(shape) : null);
}

function check(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): AttentionSizes {
  const { heads, lengths, gate = null, bias = null } = options;
  sameDevice("attend", q, k, v, gate, bias);
  ofOperands("attend", { q, k, v });
  ofFloats("attend", { gate, bias });
  ofRank("attend", "q", q, 3);
  ofShape("attend", "k", k, q.shape);
  ofShape("attend", "v", v, q.shape);
  const [batch, frames, columns] = q.shape as [number, number, number];
  const width = columns / heads;
  if (!Number.isInteger(width)) {
    throw new TypeError(
      `Cannot attend as the columns must split into ${heads} heads: q is ${showShape(q.shape)}`,
    );
  }
  if (lengths) {
    if (lengths.length !== batch) {
      throw new TypeError(
        `Cannot attend as there must be one length per utterance: ${lengths.length} for ${batch}`,
      );
    }
    const wrong = lengths.find((n) => !Number.isInteger(n) || n < 0 || n > frames);
    if (wrong !== undefined) {
      throw new RangeError(`Cannot attend as lengths must be from 0 to ${frames}: found ${wrong}`);
    }
  }
  if (gate) ofShape("attend", "gate", gate, [heads]);
  if (bias) {
    const each = [heads, frames, roundUp(frames, 4)];
    ofShape("attend", "bias", bias, bias.shape.length === 4 ? [batch, ...each] : each);
  }
  return { batch, frames, heads, width };
}
