import type { Constants } from "./pipelines.ts";
import type { Tensor } from "./tensor.ts";
import type { PooledTexture } from "./texture_pool.ts";

/** A range of a tensor to bind. */
export interface Slice {
  /** The tensor. */
  readonly tensor: Tensor;
  /** First element, relative to the tensor's; 0 unless given. A binding starts at a multiple of 256 bytes. */
  readonly start?: number;
  /** Number of elements; all from `start` on unless given. */
  readonly length?: number;
}

/** What a shader variable can be bound to. */
export type Resource = Tensor | Slice | PooledTexture;

/** One dispatch of a shader. */
export interface Dispatch {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Resource by variable name; null for a buffer that the chosen constants leave unused. */
  readonly bind: Record<string, Resource | null>;
  /** Values of `Params`. */
  readonly params?: Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
  /** Number of workgroups; folded into rows when it exceeds the limit of a dimension. */
  readonly workgroups: number;
}

/** Rows of a tensor to copy to a texture. */
export interface TextureRows {
  /** First element, relative to the tensor's; its offset in the buffer is a multiple of four elements. */
  readonly start: number;
  /** Elements between the starts of two rows, a multiple of 256 bytes. */
  readonly row: number;
  /** Number of rows. */
  readonly rows: number;
  /** Texels of a row. */
  readonly texels: number;
  /** Row of the texture that the first goes to; 0 unless given. */
  readonly y?: number;
}
