import { RAMPS } from "../prune/lagrangian.ts";
import { METHODS } from "../prune/method.ts";
import type { Options } from "./command.ts";
import type { Settings } from "./recipe.ts";
import { trainOptions } from "./train_options.ts";

const share = { type: "number", min: 0, max: 1 } as const;

/** Options of `prune`. None has a default here, since a recipe and a run to resume come before the defaults. */
export const pruneOptions = {
  model: {
    type: "string",
    description:
      "fine-tuned model: folder, or name on the hub such as facebook/wav2vec2-base-100h (the embedded one unless given)",
  },
  data: trainOptions.data,
  subset: trainOptions.subset,
  "dev-subset": {
    type: "string",
    description: "subset to choose the best weights of the fine-tuning on, or none (dev)",
  },
  "test-subset": { type: "string", description: "subset to report on (test, or dev where there is no test)" },
  task: {
    type: "string",
    description: "speech recognition or intents (as the model)",
    choices: ["asr", "slu"],
  },
  out: { type: "path", description: "folder for the compact model and the report (pruned, or pruned-2, …)" },
  method: {
    type: "string",
    description:
      "what the target is a share of: MACs, parameters, or those of convolutions and Transformer; " +
      "or a baseline, by MACs: the same share of every layer, or no convolutions (mac)",
    choices: METHODS,
  },
  target: { ...share, description: "share to remove (0.5)" },
  "target-conv": {
    ...share,
    description: "sep-size: share of the convolutions' parameters to remove (target)",
  },
  "target-transformer": { ...share, description: "sep-size: share of the others to remove (target)" },
  prune: { type: "string", description: "kinds of units that may go (conv,heads,ffn)" },
  "round-to": { type: "integer", description: "number that widths are to be multiples of (1)", min: 1 },
  half: { type: "flag", description: "write the compact model's weights as f16: half the size" },
  seconds: {
    type: "number",
    description: "seconds of audio that MACs are counted for (10)",
    min: 0.025,
    max: 36000,
  },
  steps: { type: "integer", description: "steps of pruning (2000)", min: 1 },
  warmup: {
    type: "integer",
    description: "steps in which the target rises from 0 (three quarters of them)",
    min: 0,
  },
  ramp: {
    type: "string",
    description: "how it rises: evenly, or ever more slowly, which disturbs less (quadratic)",
    choices: RAMPS,
  },
  lr: { type: "number", description: "peak learning rate of the weights while pruning (1e-4)", min: 0 },
  "gate-lr": {
    type: "number",
    description: "learning rate of the gates (100/steps, from 0.02 to 0.1)",
    min: 0,
  },
  "lambda-lr": {
    type: "number",
    description: "learning rate of the multipliers (twice that of the gates)",
    min: 0,
  },
  "finetune-steps": {
    type: "integer",
    description: "steps of fine-tuning after it; 0 for none (half of steps)",
    min: 0,
  },
  "finetune-lr": { type: "number", description: "peak learning rate of the fine-tuning (as lr)", min: 0 },
  distill: {
    ...share,
    description: "share of the divergence from the model before pruning in the loss; 0 for none (0.9)",
  },
  dropout: trainOptions.dropout,
  "mask-prob": trainOptions["mask-prob"],
  "batch-seconds": trainOptions["batch-seconds"],
  "grad-accum-steps": trainOptions["grad-accum-steps"],
  "grad-checkpoint": trainOptions["grad-checkpoint"],
  "max-grad-norm": { type: "number", description: "norm that gradients are scaled down to (10)", min: 1e-9 },
  "weight-decay": { type: "number", description: "decay of weights, not of biases and norms (0)", min: 0 },
  "speed-perturbation": trainOptions["speed-perturbation"],
  noise: trainOptions.noise,
  join: trainOptions.join,
  "eval-every": {
    type: "integer",
    description: "steps between evaluations on dev (a quarter of a phase)",
    min: 1,
  },
  "save-every": trainOptions["save-every"],
  seed: trainOptions.seed,
  "dry-run": trainOptions["dry-run"],
  resume: { type: "flag", description: "go on with the run in --out, with its options" },
  recipe: trainOptions.recipe,
  json: { type: "flag", description: "print the report as JSON" },
} as const satisfies Options;

/** Options that a run is made with, those that were given; kept in its journal. */
export type PruneSettings = Settings<typeof pruneOptions>;
