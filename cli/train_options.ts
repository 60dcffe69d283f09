import type { Options } from "./command.ts";
import type { Settings } from "./recipe.ts";

/** Options of `train`. None has a default here, since a recipe and a run to resume come before the defaults. */
export const trainOptions = {
  model: {
    type: "string",
    description: "model to start from: folder, or name on the hub such as facebook/wav2vec2-base",
  },
  config: { type: "path", description: "config.json of a model to start from random weights instead" },
  data: {
    type: "path",
    description: "corpus: LibriSpeech or SLURP layout, or a manifest (the spoken commands unless given)",
  },
  subset: { type: "string", description: "subset to learn from (train)" },
  "dev-subset": { type: "string", description: "subset to evaluate on, or none (dev)" },
  task: {
    type: "string",
    description: "speech recognition or intents (as the model's head; asr without one)",
    choices: ["asr", "slu"],
  },
  out: {
    type: "path",
    description: "folder for the model, its metrics and its state; needed unless --dry-run",
  },
  steps: { type: "integer", description: "steps (1000)", min: 1 },
  lr: {
    type: "number",
    description: "peak learning rate (1e-4, from random weights 2e-3)",
    min: 0,
  },
  warmup: { type: "integer", description: "steps in which the learning rate rises (a tenth)", min: 0 },
  schedule: {
    type: "string",
    description: "learning rate after that (tri-stage)",
    choices: ["tri-stage", "linear", "constant"],
  },
  "batch-seconds": { type: "number", description: "seconds of audio in a step (32)", min: 0.1 },
  "grad-accum-steps": {
    type: "integer",
    description: "parts that a step's audio is computed in, to save memory (1)",
    min: 1,
  },
  "grad-checkpoint": {
    type: "flag",
    description: "compute the inside of every layer again for its gradients: less memory, a third more time",
  },
  "max-grad-norm": { type: "number", description: "norm that gradients are scaled down to (5)", min: 1e-9 },
  "weight-decay": { type: "number", description: "decay of weights, not of biases and norms (0.01)", min: 0 },
  dropout: {
    type: "number",
    description: "probability of dropout and layer drop (as the model's config has each)",
    min: 0,
    max: 0.999,
  },
  "mask-prob": {
    type: "number",
    description: "share of frames that SpecAugment masks (as the model's config has it)",
    min: 0,
    max: 1,
  },
  "freeze-feature-encoder": {
    type: "flag",
    description: "leave the convolutions over the waveform as they are",
  },
  "speed-perturbation": { type: "flag", description: "play clips at 0.9, 1 or 1.1 times their speed" },
  noise: { type: "number", description: "share of clips that get noise, of 5 to 25 dB (0)", min: 0, max: 1 },
  join: { type: "number", description: "join clips of a speaker up to so many seconds (0: no)", min: 0 },
  "eval-every": { type: "integer", description: "steps between evaluations (200)", min: 1 },
  "save-every": { type: "integer", description: "steps between states on disk (100)", min: 1 },
  patience: {
    type: "integer",
    description: "evaluations without a better one after which training ends (0: never)",
    min: 0,
  },
  seed: { type: "integer", description: "seed of all that is drawn (0)", min: 0, max: 2 ** 32 - 1 },
  "dry-run": { type: "flag", description: "print how much memory the run takes, and end" },
  resume: { type: "flag", description: "go on with the run in --out, with its options" },
  recipe: { type: "path", description: "JSON file of options by these names; the command line wins" },
} as const satisfies Options;

/** Options that a run is made with, those that were given; kept in its state. */
export type TrainSettings = Settings<typeof trainOptions>;
