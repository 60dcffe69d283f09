import type { HeadKind, ModelConfig } from "../config_types.ts";
import type { SafetensorsEntry } from "./safetensors.ts";

/** A tensor on the host, as published: convolutions are [O, C, K]. */
export interface Weight {
  /** Sizes of the axes. */
  readonly shape: readonly number[];
  /** product(shape) numbers. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** A tensor of a file. */
export interface DiskTensor {
  /** Name as written. */
  readonly name: string;
  /** The model's tensors in it, one after the other along the first axis; none where it is left aside. */
  readonly keys: readonly string[];
  /** Its content where it is left aside, to be written back. */
  readonly aside: SafetensorsEntry | null;
}

/** How a checkpoint was spelled, so that it can be written back alike. */
export interface LayoutOnDisk {
  /** Tensors in the order of their bytes. */
  readonly tensors: readonly DiskTensor[];
  /** Free text of the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Header of a single file, byte for byte; null if there were several, or none. */
  readonly header: Uint8Array | null;
}

/** A model on the host. */
export interface Checkpoint {
  /** Architecture; `conv_bias` is what the tensors say. */
  readonly config: ModelConfig;
  /** What follows the Transformer. */
  readonly head: HeadKind;
  /** Tensors by the names of {@linkcode parameterSpecs}, whatever the file calls them. */
  readonly tensors: ReadonlyMap<string, Weight>;
  /** What the user should know about the files: a sentence each. */
  readonly notes: readonly string[];
  /** How the file spelled it. */
  readonly layoutOnDisk: LayoutOnDisk;
}

/** The files of a model in memory. */
export interface CheckpointFiles {
  /** Content by name: `config.json`, `model.safetensors` or its shards with their index. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What to call the folder in errors. */
  readonly name?: string;
}

/** Layout of a checkpoint that was not read from files: the published one. */
export const PUBLISHED_LAYOUT: LayoutOnDisk = { tensors: [], metadata: { format: "pt" }, header: null };
