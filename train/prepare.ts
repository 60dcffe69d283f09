import { type Checkpoint, PUBLISHED_LAYOUT, type Weight } from "../model/checkpoint/read.ts";
import type { HeadKind, ModelConfig } from "../model/config.ts";
import { MASK_EMBEDDING, parameterSpecs, withHead } from "../model/parameter_specs.ts";
import { randomCheckpoint } from "../model/random.ts";

/** What a model is to be trained for. */
export type TrainTask =
  /** Speech recognition: tokens of the vocabulary, and which of them is the blank. */
  | { readonly head: "ctc"; readonly tokens: number; readonly blank: number }
  /** Spoken-language understanding: names of the classes. */
  | { readonly head: "classify"; readonly classes: readonly string[] };

/** The config with the head of a task. */
export function configFor(config: ModelConfig, task: TrainTask): ModelConfig {
  const fields = task.head === "ctc"
    ? { vocab_size: task.tokens, pad_token_id: task.blank }
    : { id2label: task.classes };
  return { ...withHead(config, task.head), ...fields };
}

/**
 * A model with the head of a task: its own where that fits, else one with random weights. A mask embedding that the
 * config asks for and the files lack is drawn too. The tensors are in the published order and layout.
 *
 * @param checkpoint Model with any head or none.
 * @param task What it is to be trained for.
 * @param seed Seed of the weights that are drawn.
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
  const drawn = drawRest(config, seed, task.head);
  const tensors = new Map<string, Weight>();
  for (const { name, group } of parameterSpecs(config, task.head)) {
    const ofHead = ["lm_head", "projector", "classifier"].includes(group);
    const own = ofHead && newHead ? undefined : checkpoint.tensors.get(name);
    const weight = own ?? (ofHead || name === MASK_EMBEDDING ? drawn.get(name) : undefined);
    if (weight) tensors.set(name, weight);
  }
  return {
    checkpoint: { ...checkpoint, config, head: task.head, tensors, layoutOnDisk: PUBLISHED_LAYOUT },
    newHead,
  };
}

/** Random weights but for those of the Transformer's layers; a tensor's numbers do not depend on the others. */
function drawRest(config: ModelConfig, seed: number, head: HeadKind): ReadonlyMap<string, Weight> {
  const short = { ...config, num_hidden_layers: 0, num_attention_heads: [], intermediate_size: [] };
  return randomCheckpoint(short, seed, head).tensors;
}

/**
 * A model of zeros whose weights a run state will fill.
 *
 * @param config Architecture.
 * @param head What follows the Transformer.
 * @param has Whether the state has a weight.
 */
export function blankModel(config: ModelConfig, head: HeadKind, has: (name: string) => boolean): Checkpoint {
  const tensors = parameterSpecs(config, head).filter(({ name }) => has(name)).map(({ name, shape }) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return [name, { shape, data: new Float32Array(size) }] as const;
  });
  return { config, head, tensors: new Map(tensors), notes: [], layoutOnDisk: PUBLISHED_LAYOUT };
}
