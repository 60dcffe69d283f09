import { roundUp } from "../tensor/align.ts";
import type { Gpu } from "../tensor/gpu.ts";
import { emptyBatch, stridedBatchOf } from "../tensor/strided_batch.ts";
import { noGrad, record, recording } from "../tensor/tape.ts";
import { showShape, type Tensor } from "../tensor/tensor.ts";
import {
  type Block,
  gateGradient,
  gateHeads,
  type Sizes,
  softmax,
  sumUtterances,
} from "./internal/attention_passes.ts";
import { ofFloats, ofOperands, ofRank, ofShape, sameDevice } from "./internal/checks.ts";
import { dropout, type DropoutOptions } from "./dropout.ts";
import { gemm } from "./gemm/gemm.ts";
import type { GemmOutput, Operand } from "./gemm/problem.ts";
import { scale as scaled } from "./scale.ts";

/** Options of {@linkcode attention}. */
export interface AttentionOptions {
  /** Number of heads H. */
  readonly heads: number;
  /** Valid frames of each clip: keys beyond them are not attended to. All frames unless given. */
  readonly lengths?: readonly number[] | null;
  /** Gate of each head, [H]; it multiplies the head's context. */
  readonly gate?: Tensor | null;
  /** Added to the scaled scores, [H, T, T], or [B, H, T, T]. */
  readonly bias?: Tensor | null;
  /** Drops attention weights; none unless given. */
  readonly dropout?: DropoutOptions | null;
  /** Factor of the scores; D^-0.5 unless given. */
  readonly scale?: number;
}

/**
 * Bytes of attention weights that are made at once. Longer attention goes through the queries in blocks, keeps none of their
 * weights and makes them again for the gradient, so that its memory grows with T and not with T² (Rabe and Staats 2021,
 * arXiv 2112.05682).
 */
const BLOCK_BYTES = 2 ** 25;

/** Queries of a block are a multiple of it, the rows of a product's tile. */
const TILE = 16;

/** Attention weights of a block, and those that dropout keeps. */
interface Weights {
  readonly p: Tensor;
  readonly kept: Tensor;
}

/**
 * Multi-head softmax attention, softmax(scale·q·kᵀ + bias)·v for each head, times the head's gate
 * (Vaswani et al. 2017, arXiv 1706.03762). Without a bias, which is of that size itself, memory is linear in T.
 *
 * @param q Queries, [B, T, H·D], f32 or f16.
 * @param k Keys, of the same shape.
 * @param v Values, of the same shape.
 * @returns Contexts of all heads side by side, [B, T, H·D], of the queries' type. Queries beyond a clip's length are computed too.
 * @throws {TypeError} If shapes do not match.
 * @throws {RangeError} If a length is no whole number from 0 to T.
 * @example
 * ```ts
 * import { attention, requestGpu } from "../mod.ts";
 *
 * const gpu = await requestGpu();
 * const q = gpu.zeros([2, 2, 2]); // equal scores, equal weights
 * const v = gpu.tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
 * const y = attention(q, q, v, { heads: 2, lengths: [2, 1], gate: gpu.tensor([1, 0.5]) });
 * console.log(await y.read()); // [[[2, 1.5], [2, 1.5]], [[5, 3], [5, 3]]]
 * gpu.destroy();
 * ```
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  const sizes = check(q, k, v, options);
  const { batch, frames, heads, width } = sizes;
  const { gate = null, bias = null, dropout: drops = null, scale = width ** -0.5 } = options;
  const { gpu } = q;
  const from = [q, k, v, gate, bias];
  const lengths = options.lengths ? gpu.tensor(Int32Array.from(options.lengths)) : null;
  const columns = heads * width;
  // Rows of scores are padded to a multiple of four, so that a product can write four columns at a time; not where
  // their gradient is a bias's.
  const row = bias ? frames : roundUp(frames, 4);
  const whole: Block = { first: 0, queries: frames };
  const blocks = bias ? [whole] : blocksOf(gpu, sizes, row);
  const image = (tensor: Tensor, alongK: boolean, { first, queries }: Block = whole) => ({
    tensor,
    offset: first * columns,
    height: queries,
    row: columns,
    alongK,
    z1: frames * columns,
    z2: width,
  });
  const square = (tensor: Tensor, alongK: boolean, { queries }: Block) => ({
    tensor,
    height: queries,
    row,
    alongK,
    z1: heads * queries * row,
    z2: queries * row,
    padded: true,
  });
  const items = { batch: [batch, heads] } as const;
  const scores = ({ queries }: Block) => ({ ...items, m: queries, n: frames, k: [1, width] } as const);
  const contexts = ({ queries }: Block) => ({ ...items, m: queries, n: width, k: [1, frames] } as const);
  const overQueries = ({ queries }: Block) => ({ ...items, m: frames, n: width, k: [1, queries] } as const);
  const place = ({ alongK: _alongK, height: _height, ...c }: Operand): GemmOutput => c;
  const dropBlock = (x: Tensor, { first }: Block) => {
    if (!drops) return x.view();
    const purpose = first === 0 ? drops.purpose : `${drops.purpose}, queries from ${first}`;
    return noGrad(gpu, () => dropout(x, { ...drops, purpose }));
  };
  /** The weights of a block of queries, [B, H, queries, row], and those that dropout keeps. */
  const weigh = (block: Block): Weights => {
    const p = gpu.empty([batch, heads, block.queries, row]);
    gemm(gpu, {
      ...scores(block),
      a: image(q, true, block),
      b: image(k, true),
      c: place(square(p, true, block)),
    });
    softmax("forward", sizes, block, { p }, { scale, lengths, bias });
    return { p, kept: dropBlock(p, block) };
  };

  const y = gpu.empty(q.shape, q.dtype);
  const context = gate && recording(from) ? gpu.empty(q.shape) : null;
  const only = blocks.length === 1 ? weigh(blocks[0]!) : null;
  for (const block of blocks) {
    const weights = only ?? weigh(block);
    gemm(gpu, {
      ...contexts(block),
      a: square(weights.kept, true, block),
      b: image(v, false),
      c: place(image(y, true, block)),
      ...(gate && { gate: { tensor: gate, z2: 1, n: 0 } }),
      ...(context && { pre: context }),
    });
    if (!only) forget(weights);
  }

  const saved = [only?.p, only?.kept, lengths, context].filter((tensor) => !!tensor);
  record("attention", from, [y], ([dy], [needsQ, needsK, needsV, needsGate, needsBias]) => {
    const dgate = context && needsGate ? gateGradient(sizes, dy!, context, gate!) : null;
    const dc = gate ? gateHeads(sizes, dy!, gate) : dy!.view();
    const [dk = null, dv = null, dq = null] = emptyAlike([k, v, q], [needsK!, needsV!, needsQ!]);
    let dbias: Tensor | null = null;
    for (const block of blocks) {
      const weights = only ?? weigh(block);
      const accumulate = block.first > 0;
      if (dv) {
        const [a, b] = [square(weights.kept, false, block), image(dc, false, block)];
        gemm(gpu, { ...overQueries(block), a, b, c: place(image(dv, true)), accumulate });
      }
      if (dq || dk || needsBias) {
        const dkept = gpu.empty(weights.p.shape);
        gemm(gpu, {
          ...scores(block),
          a: image(dc, true, block),
          b: image(v, true),
          c: place(square(dkept, true, block)),
        });
        const dp = dropBlock(dkept, block);
        dkept.dispose();
        // The bias wants the gradient before the factor of the scores.
        const factor = needsBias ? 1 : scale;
        softmax("backward", sizes, block, { probability: weights.p, dp }, { scale: factor, lengths });
        if (needsBias) dbias = bias!.shape.length === 4 ? dp.view() : sumUtterances(dp, bias!.shape);
        const ds = needsBias ? scaled(dp, scale) : dp.view();
        dp.dispose();
        if (dq) {
          const [a, b] = [square(ds, true, block), image(k, false)];
          gemm(gpu, { ...contexts(block), a, b, c: place(image(dq, true, block)) });
        }
        if (dk) {
          const [a, b] = [square(ds, false, block), image(q, false, block)];
          gemm(gpu, { ...overQueries(block), a, b, c: place(image(dk, true)), accumulate });
        }
        ds.dispose();
      }
      if (!only) forget(weights);
    }
    dc.dispose();
    return [dq, dk, dv, dgate, dbias];
  }, saved);
  return y;
}

/** Tensors for gradients, side by side where the inputs are, as one product made them; null where none is needed. */
function emptyAlike(inputs: readonly Tensor[], needs: readonly boolean[]): (Tensor | null)[] {
  const row = needs.every((needed) => needed) ? stridedBatchOf(inputs) : null;
  row?.span.dispose();
  const [{ gpu, shape }] = inputs as [Tensor, ...Tensor[]];
  if (row) return emptyBatch(gpu, inputs.length, shape);
  return needs.map((needed) => needed ? gpu.empty(shape) : null);
}

/** The block, or blocks, of queries whose weights are made at once. */
function blocksOf(gpu: Gpu, { batch, frames, heads }: Sizes, row: number): Block[] {
  const bytes = batch * heads * row * 4;
  const most = Math.min(BLOCK_BYTES, gpu.limits.bindingBytes);
  const queries = bytes * frames <= most ? frames : Math.max(1, Math.floor(most / bytes / TILE)) * TILE;
  const count = Math.ceil(frames / queries);
  return Array.from({ length: Math.max(1, count) }, (_, i) => {
    return { first: i * queries, queries: Math.min(queries, frames - i * queries) };
  });
}

function forget({ p, kept }: Weights): void {
  p.dispose();
  kept.dispose();
}

function check(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Sizes {
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
        `Cannot attend as there must be one length per clip: ${lengths.length} for ${batch}`,
      );
    }
    const wrong = lengths.find((n) => !Number.isInteger(n) || n < 0 || n > frames);
    if (wrong !== undefined) {
      throw new RangeError(`Cannot attend as lengths must be from 0 to ${frames}: found ${wrong}`);
    }
  }
  if (gate) ofShape("attend", "gate", gate, [heads]);
  if (bias) {
    const each = [heads, frames, frames];
    ofShape("attend", "bias", bias, bias.shape.length === 4 ? [batch, ...each] : each);
  }
  return { batch, frames, heads, width };
}
