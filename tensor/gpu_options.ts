import type { Resource } from "./bind_groups.ts";
import type { Constants } from "./pipelines.ts";

/** Limits that operations plan with. */
export interface GpuLimits {
  /** Largest storage binding, in bytes. */
  readonly bindingBytes: number;
  /** Largest number of workgroups along one dimension of a dispatch. */
  readonly workgroups: number;
  /** Largest width and height of a texture, in texels. */
  readonly texture: number;
}

/** Options of {@linkcode requestGpu}. */
export interface GpuOptions {
  /** Which adapter to prefer where there are two. */
  readonly powerPreference?: GPUPowerPreference;
  /** Lower limits than the adapter's, as tests of the splitting use. */
  readonly limits?: Partial<GpuLimits>;
  /** Measures the time of every dispatch with timestamp queries, if the adapter has them. */
  readonly profile?: boolean;
  /** Whether to choose kernels as for an adapter that runs on the processor; as its name tells unless given. */
  readonly software?: boolean;
}

/** One dispatch. */
export interface Dispatch {
  /** Entry point; `main` unless given. */
  readonly entry?: string;
  /** Resource by variable name; null for a buffer that the chosen constants leave unused. */
  readonly bind: Record<string, Resource | null>;
  /** Values of `Params`. */
  readonly params?: Record<string, number>;
  /** Values of `override` constants. */
  readonly constants?: Constants;
  /** Number of workgroups; folded into rows when it exceeds a dimension's limit. */
  readonly workgroups: number;
}

/** Rows of a tensor that a surface takes. */
export interface TextureRows {
  /** First element, relative to the tensor's; where it lies in the buffer is a multiple of four. */
  readonly start: number;
  /** Elements between the starts of two rows, a multiple of 256 bytes. */
  readonly row: number;
  /** Number of rows. */
  readonly rows: number;
  /** Texels of a row. */
  readonly texels: number;
  /** PooledTexture row of the first; 0 unless given. */
  readonly y?: number;
}
