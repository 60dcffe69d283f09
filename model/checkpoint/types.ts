import type { HeadKind, ModelConfig } from "../config_types.ts";
import type { SafetensorsEntry } from "./safetensors.ts";

/** A tensor on the host in the published layout: convolution weights are [O, C, K]. */
export interface Weight {
  /** Shape. */
  readonly shape: readonly number[];
  /** product(shape) elements, row-major. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** How a tensor is stored in a file. */
export interface DiskTensor {
  /** Name in the file. */
  readonly name: string;
  /** The model's tensors that it holds, concatenated along the first axis; empty if the model does not use it. */
  readonly keys: readonly string[];
  /** Its content if the model does not use it, to be written back; else null. */
  readonly unused: SafetensorsEntry | null;
}

/** Names and order of the tensors of a file, so that writing reproduces it. */
export interface LayoutOnDisk {
  /** Tensors in the order of their bytes. */
  readonly tensors: readonly DiskTensor[];
  /** `__metadata__` of the header. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Header of a single file, byte for byte; null for shards, or if no file was read. */
  readonly header: Uint8Array | null;
}

/** A model on the host: config, weights, and how its file stores them. */
export interface Checkpoint {
  /** Architecture; `conv_bias` is corrected to agree with the tensors. */
  readonly config: ModelConfig;
  /** Head on top of the Transformer. */
  readonly head: HeadKind;
  /** Tensors by the names of `parameterSpecs`, independent of the names in the file. */
  readonly tensors: ReadonlyMap<string, Weight>;
  /** Remarks on the files for the user, a sentence each. */
  readonly notes: readonly string[];
  /** How the file stores the tensors. */
  readonly layoutOnDisk: LayoutOnDisk;
  /** Files of a model folder that the weight file implies, as text by name: `preprocessor_config.json` of DPHuBERT's files. */
  readonly implied?: Readonly<Record<string, string>>;
  /** Language whose adapter the model has, if one was asked for. */
  readonly language?: string;
}

/** The files of a model in memory. */
export interface CheckpointFiles {
  /** Content by name: `config.json`, `model.safetensors` or its shards with their index. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Folder name for error messages. */
  readonly name?: string;
}

/** Layout of a checkpoint that was not read from files: published names and order. */
export const PUBLISHED_LAYOUT: LayoutOnDisk = { tensors: [], metadata: { format: "pt" }, header: null };
