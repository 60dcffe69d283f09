import { RANDOM_START_LR, TRAIN_DEFAULTS } from "../train/settings.ts";
import { corpusOptions } from "./corpus_options.ts";
import { langOption, revisionOption } from "./model_option.ts";
import {
  type Given,
  group,
  MOST_RATE,
  MOST_SECONDS,
  MOST_STEPS,
  type Options,
  type Values,
} from "./options.ts";

/** Options of `train`. */
export const trainOptions = {
  ...group("Model and data", {
    model: {
      type: "string",
      short: "m",
      value: "MODEL",
      description: "model to start from: a folder, or a name on the hub such as facebook/wav2vec2-base",
    },
    revision: revisionOption,
    lang: langOption,
    config: {
      type: "path",
      value: "FILE",
      description: "config.json of a model to train from random weights instead",
    },
    data: { ...corpusOptions.data, computed: { text: "the synthesised spoken commands" } },
    subset: { type: "string", value: "NAME", description: "training subset", default: "train" },
    "dev-subset": {
      type: "string",
      value: "NAME",
      description: "subset to evaluate on, or none",
      computed: { text: "dev, if there is one" },
    },
    limit: corpusOptions.limit,
    strict: corpusOptions.strict,
    task: {
      type: "string",
      description: "speech recognition or intents",
      choices: ["asr", "slu"],
      computed: { text: "by the model's head; asr without one" },
    },
    vocab: {
      type: "path",
      value: "FILE",
      description: "vocab.json, or its folder, for speech recognition",
      computed: { text: "the model's; for a new head, the characters of the training transcripts" },
    },
    "new-head": { type: "flag", description: "replace the model's head by one with random weights" },
  }),
  ...group("Optimisation", {
    steps: {
      type: "integer",
      description: "optimiser steps",
      default: TRAIN_DEFAULTS.steps,
      min: 1,
      max: MOST_STEPS,
    },
    lr: {
      type: "number",
      description: "peak learning rate",
      computed: {
        text: "1e-4; 2e-3 from random weights",
        of: ({ config }) => config === undefined ? TRAIN_DEFAULTS.lr : RANDOM_START_LR,
      },
      min: 0,
      max: MOST_RATE,
    },
    warmup: {
      type: "integer",
      description: "steps in which the learning rate rises",
      computed: {
        text: "a tenth of --steps",
        of: ({ steps }) => TRAIN_DEFAULTS.warmup({ steps: Number(steps) }),
      },
      min: 0,
      max: MOST_STEPS,
    },
    schedule: {
      type: "string",
      description: "learning-rate schedule after warm-up",
      choices: ["tri-stage", "linear", "constant"],
      default: TRAIN_DEFAULTS.schedule,
    },
    "batch-seconds": {
      type: "number",
      description: "seconds of audio per step",
      default: TRAIN_DEFAULTS.batchSeconds,
      min: 0.1,
      max: MOST_SECONDS,
    },
    "grad-accum-steps": {
      type: "integer",
      description: "micro-batches that a step is split into, to save memory",
      default: TRAIN_DEFAULTS.gradAccumSteps,
      min: 1,
      max: 256,
    },
    "grad-checkpoint": {
      type: "flag",
      description: "gradient checkpointing: recompute activations in the backward pass; " +
        "less memory, about a third more time",
    },
    "max-grad-norm": {
      type: "number",
      description: "gradient clipping norm",
      default: TRAIN_DEFAULTS.maxGradNorm,
      min: 1e-9,
      max: MOST_RATE,
    },
    "weight-decay": {
      type: "number",
      description: "weight decay, not applied to biases and norms",
      default: TRAIN_DEFAULTS.weightDecay,
      min: 0,
      max: 1000,
    },
    "freeze-feature-encoder": { type: "flag", description: "keep the convolutional feature encoder fixed" },
    patience: {
      type: "integer",
      description: "stop after this many evaluations without improvement; 0: never",
      default: TRAIN_DEFAULTS.patience,
      min: 0,
      max: MOST_STEPS,
    },
  }),
  ...group("Regularisation and augmentation", {
    dropout: {
      type: "number",
      description: "probability of all kinds of dropout and of layer drop",
      computed: { text: "as in the model's config" },
      min: 0,
      max: 0.999,
    },
    "mask-prob": {
      type: "number",
      description: "share of frames that SpecAugment masks",
      computed: { text: "as in the model's config" },
      min: 0,
      max: 1,
    },
    "speed-perturbation": { type: "flag", description: "play utterances at 0.9, 1 or 1.1 times their speed" },
    noise: {
      type: "number",
      description: "share of utterances with added noise, 5 to 25 dB SNR",
      default: TRAIN_DEFAULTS.noise,
      min: 0,
      max: 1,
    },
    join: {
      type: "number",
      value: "SECONDS",
      description: "join utterances of a speaker up to this length; 0: do not",
      default: TRAIN_DEFAULTS.join,
      min: 0,
      max: MOST_SECONDS,
    },
  }),
  ...group("Run and output", {
    out: {
      type: "path",
      short: "o",
      value: "DIR",
      description: "folder for the model, metrics and state; not needed with --dry-run",
    },
    "eval-every": {
      type: "integer",
      description: "steps between evaluations",
      default: TRAIN_DEFAULTS.evalEvery,
      min: 1,
      max: MOST_STEPS,
    },
    "save-every": {
      type: "integer",
      description: "steps between saved states",
      default: TRAIN_DEFAULTS.saveEvery,
      min: 1,
      max: MOST_STEPS,
    },
    seed: {
      type: "integer",
      description: "random seed",
      default: TRAIN_DEFAULTS.seed,
      min: 0,
      max: 2 ** 32 - 1,
    },
    recipe: {
      type: "path",
      value: "FILE",
      description: "JSON file of options; options on the command line win",
    },
    resume: { type: "flag", description: "resume the run in --out with its saved options" },
    "accept-changes": {
      type: "flag",
      description:
        "with --resume: accept that the corpus or the version of espalier has changed since the run began",
    },
    "dry-run": { type: "flag", description: "print the estimated memory and exit" },
    json: { type: "flag", description: "print the result as JSON" },
  }),
} as const satisfies Options;

/** Options that a run was given; saved in its state. */
export type TrainSettings = Given<typeof trainOptions>;

/** The options of a run, defaults included. */
export type TrainValues = Values<typeof trainOptions>;
