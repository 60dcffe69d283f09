import { type Checkpoint, PUBLISHED_LAYOUT, type Weight } from "../model/checkpoint/read.ts";
import type { HeadKind, ModelConfig } from "../model/config.ts";
import {
  hasMaskEmbedding,
  LAYER_WEIGHTS,
  MASK_EMBEDDING,
  parameterSpecs,
  withHead,
} from "../model/parameter_specs.ts";
import { randomCheckpoint } from "../model/random.ts";

/** Task of a training, with the size of its head. */
export type TrainTask =
  /** Speech recognition: number of tokens, and index of the blank. */
  | { readonly head: "ctc"; readonly tokens: number; readonly blank: number }
  /** Intent classification: names of the classes. */
  | { readonly head: "classify"; readonly classes: readonly string[] };

/** A config with the head of a task. */
export function configFor(config: ModelConfig, task: TrainTask): ModelConfig {
  const fields = task.head === "ctc"
    ? { vocab_size: task.tokens, pad_token_id: task.blank }
    : { id2label: task.classes };
  return { ...withHead(config, task.head), ...fields };
}

/**
 * A model with the head of a task: its present head if that fits, else one with random weights. A missing mask embedding
 * is random too if the config requires one. The tensors are in the published order and layout.
 *
 * @param checkpoint Model with or without a head.
 * @param task Task.
 * @param seed Seed of the random weights.
 * @returns The model, and whether its head is new.
 */
export function prepareModel(
  checkpoint: Checkpoint,
  task: TrainTask,
  seed: number,
): { readonly checkpoint: Checkpoint; readonly newHead: boolean } {
  const config = configFor(checkpoint.config, task);
  const { config: old } = checkpoint;
  const same = task.head === "ctc"
    ? old.vocab_size === task.tokens && old.pad_token_id === task.blank
    : old.id2label.join("\n") === task.classes.join("\n");
  const newHead = checkpoint.head !== task.head || !same;
  const random = randomHead(config, seed, task.head);
  const tensors = new Map<string, Weight>();
  for (const { name, group } of parameterSpecs(config, task.head)) {
    const ofHead = ["lm_head", LAYER_WEIGHTS, "projector", "classifier"].includes(group);
    const present = ofHead && newHead ? undefined : checkpoint.tensors.get(name);
    const weight = present ?? (ofHead || name === MASK_EMBEDDING ? random.get(name) : undefined);
    if (weight) tensors.set(name, weight);
  }
  return {
    checkpoint: { ...checkpoint, config, head: task.head, tensors, layoutOnDisk: PUBLISHED_LAYOUT },
    newHead,
  };
}

/**
 * A model with random weights of the mask embedding, if its config requires one that it lacks, as torchaudio's models do.
 *
 * @param checkpoint Model; returned as it is if it lacks nothing.
 * @param seed Seed of the random weights.
 */
export function withMaskEmbedding(checkpoint: Checkpoint, seed: number): Checkpoint {
  const { config, head, tensors } = checkpoint;
  if (!hasMaskEmbedding(config) || tensors.has(MASK_EMBEDDING)) return checkpoint;
  const embedding = randomHead(config, seed, head).get(MASK_EMBEDDING)!;
  return { ...checkpoint, tensors: new Map([[MASK_EMBEDDING, embedding], ...tensors]) };
}

/** Random weights of all but the Transformer's layers; the values of a tensor do not depend on other tensors. */
function randomHead(config: ModelConfig, seed: number, head: HeadKind): ReadonlyMap<string, Weight> {
  const shallow = { ...config, num_hidden_layers: 0, num_attention_heads: [], intermediate_size: [] };
  const tensors = new Map(randomCheckpoint(shallow, seed, head).tensors);
  if (tensors.has(LAYER_WEIGHTS)) {
    const count = config.num_hidden_layers + 1;
    tensors.set(LAYER_WEIGHTS, { shape: [count], data: new Float32Array(count).fill(1 / count) });
  }
  return tensors;
}

/**
 * A model of zeros, whose weights are restored from a run state.
 *
 * @param config Architecture.
 * @param head Kind of head.
 * @param has Returns whether the state has a weight.
 */
export function blankModel(config: ModelConfig, head: HeadKind, has: (name: string) => boolean): Checkpoint {
  const tensors = parameterSpecs(config, head).filter(({ name }) => has(name)).map(({ name, shape }) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return [name, { shape, data: new Float32Array(size) }] as const;
  });
  return { config, head, tensors: new Map(tensors), notes: [], layoutOnDisk: PUBLISHED_LAYOUT };
}
