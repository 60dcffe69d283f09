import { roundUp } from "../../tensor/align.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { GemmOutput, GemmProblem, Operand } from "../gemm/problem.ts";

/** B, T, H and D. */
export interface AttentionSizes {
  readonly batch: number;
  readonly frames: number;
  readonly heads: number;
  readonly width: number;
}

/** Queries whose attention weights are computed at once. */
export interface QueryBlock {
  readonly first: number;
  readonly queries: number;
}

/** Extents of a GEMM of attention. */
type Extents = Pick<GemmProblem, "m" | "n" | "k" | "batch">;

/**
 * Bytes of attention weights that are computed at once. Longer attention goes through the queries in blocks, keeps none of
 * their weights and computes them again for the gradient, so that its memory is linear in T (Rabe and Staats 2021,
 * arXiv 2112.05682).
 */
const BLOCK_BYTES = 2 ** 25;

/** The number of queries of a block is a multiple of it: the rows of a GEMM's tile. */
const TILE = 16;

/** How attention lays out its tensors for the GEMMs, whose batch is [B, H]. */
export class AttentionLayout {
  /** B, T, H and D. */
  readonly sizes: AttentionSizes;
  /** Elements of a row of scores: T, padded to a multiple of four for vec4 stores. */
  readonly row: number;
  /** Blocks of queries; one where all attention weights fit. */
  readonly blocks: readonly QueryBlock[];
  readonly #whole: QueryBlock;

  /**
   * @param hasBias Whether a bias, with a row for each query, is added to the scores.
   */
  constructor(gpu: Gpu, sizes: AttentionSizes, hasBias: boolean) {
    const { batch, frames, heads } = sizes;
    this.sizes = sizes;
    this.row = roundUp(frames, 4);
    this.#whole = { first: 0, queries: frames };
    const bytes = batch * heads * this.row * 4; // of one query
    const most = Math.min(BLOCK_BYTES, gpu.limits.bindingBytes);
    const queries = bytes * frames <= most ? frames : Math.max(1, Math.floor(most / bytes / TILE)) * TILE;
    const count = Math.max(1, Math.ceil(frames / queries));
    this.blocks = hasBias ? [this.#whole] : Array.from({ length: count }, (_, i) => {
      return { first: i * queries, queries: Math.min(queries, frames - i * queries) };
    });
  }

  /** Queries, keys, values or contexts of a block, [B, T, H·D]; all T unless given. */
  heads(tensor: Tensor, alongK: boolean, { first, queries }: QueryBlock = this.#whole): Operand {
    const { frames, heads, width } = this.sizes;
    const row = heads * width;
    return {
      tensor,
      offset: first * row,
      height: queries,
      row,
      alongK,
      z1Stride: frames * row,
      z2Stride: width,
    };
  }

  /** Where a GEMM writes such a tensor. */
  toHeads(tensor: Tensor, block?: QueryBlock): GemmOutput {
    return outputOf(this.heads(tensor, true, block));
  }

  /** Scores or weights of a block, [B, H, queries, row]. */
  scores(tensor: Tensor, alongK: boolean, { queries }: QueryBlock): Operand {
    const { row, sizes: { heads } } = this;
    return { tensor, height: queries, row, alongK, z1Stride: heads * queries * row, z2Stride: queries * row };
  }

  /** Where a GEMM writes such a tensor. */
  toScores(tensor: Tensor, block: QueryBlock): GemmOutput {
    return { ...outputOf(this.scores(tensor, true, block)), padded: true };
  }

  /** Extents of a GEMM from heads to scores: a row per query, a column per key, a sum over D. */
  overWidth({ queries }: QueryBlock): Extents {
    return { batch: this.#batch, m: queries, n: this.sizes.frames, k: [1, this.sizes.width] };
  }

  /** Extents of a GEMM from scores to the heads of queries: a sum over the keys. */
  overKeys({ queries }: QueryBlock): Extents {
    return { batch: this.#batch, m: queries, n: this.sizes.width, k: [1, this.sizes.frames] };
  }

  /** Extents of a GEMM from scores to the heads of keys: a sum over the queries. */
  overQueries({ queries }: QueryBlock): Extents {
    return { batch: this.#batch, m: this.sizes.frames, n: this.sizes.width, k: [1, queries] };
  }

  get #batch(): readonly [number, number] {
    return [this.sizes.batch, this.sizes.heads];
  }
}

const outputOf = ({ alongK: _alongK, height: _height, ...output }: Operand): GemmOutput => output;
