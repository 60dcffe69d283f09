import { RAMPS } from "../prune/lagrangian.ts";
import { METHODS } from "../prune/method.ts";
import { PRUNE_DEFAULTS } from "../prune/run/settings.ts";
import { langOption, revisionOption } from "./model_option.ts";
import { type Given, group, MOST_RATE, MOST_SECONDS, MOST_STEPS, type Options } from "./options.ts";
import { trainOptions } from "./train_options.ts";

const share = { type: "number", min: 0, max: 1 } as const;

/** Options of `prune`. */
export const pruneOptions = {
  ...group("Model and data", {
    model: {
      type: "string",
      short: "m",
      value: "MODEL",
      description: "fine-tuned model: a folder, or a name on the hub such as facebook/wav2vec2-base-100h",
      computed: { text: "the embedded model of spoken commands" },
    },
    revision: revisionOption,
    lang: langOption,
    data: trainOptions.data,
    subset: trainOptions.subset,
    "dev-subset": {
      type: "string",
      value: "NAME",
      description: "subset that selects the best weights of fine-tuning, or none",
      computed: { text: "dev, if there is one" },
    },
    "test-subset": {
      type: "string",
      value: "NAME",
      description: "subset to report on",
      computed: { text: "test, or dev if there is no test" },
    },
    limit: trainOptions.limit,
    strict: trainOptions.strict,
    task: {
      type: "string",
      description: "speech recognition or intents",
      choices: ["asr", "slu"],
      computed: { text: "by the model's head" },
    },
  }),
  ...group("Pruning", {
    method: {
      type: "string",
      description: "what --target is a share of: MACs (mac), parameters (size), or the parameters of " +
        "convolutions and Transformer separately (sep-size); or a baseline by MACs: the same share " +
        "of every layer (uniform), or no convolutions (transformer-only); or the control: trained on in the " +
        "same way with nothing removed, without a target (none)",
      choices: METHODS,
      default: PRUNE_DEFAULTS.method,
    },
    target: { ...share, description: "share to remove", default: PRUNE_DEFAULTS.target },
    "target-conv": {
      ...share,
      description: "with sep-size: share of the convolutions' parameters to remove",
      computed: { text: "--target" },
    },
    "target-transformer": {
      ...share,
      description: "with sep-size: share of the Transformer's parameters to remove",
      computed: { text: "--target" },
    },
    prune: {
      type: "string",
      value: "KINDS",
      description: "kinds of units that may be pruned, separated by commas",
      default: PRUNE_DEFAULTS.kinds.join(","),
    },
    "round-to": {
      type: "integer",
      description: "round the kept widths to multiples of N",
      default: PRUNE_DEFAULTS.roundTo,
      min: 1,
      max: 1024,
    },
    seconds: {
      type: "number",
      description: "length of the audio that MACs are counted for",
      default: PRUNE_DEFAULTS.seconds,
      min: 0.025,
      max: MOST_SECONDS,
    },
    steps: {
      type: "integer",
      description: "pruning steps",
      default: PRUNE_DEFAULTS.steps,
      min: 1,
      max: MOST_STEPS,
    },
    warmup: {
      type: "integer",
      description: "steps in which the target rises from 0",
      computed: {
        text: "three quarters of --steps",
        of: ({ steps }) => PRUNE_DEFAULTS.warmup({ steps: Number(steps) }),
      },
      min: 0,
      max: MOST_STEPS,
    },
    ramp: {
      type: "string",
      description: "how the target rises: evenly, or ever more slowly, which disturbs the model less",
      choices: RAMPS,
      default: PRUNE_DEFAULTS.ramp,
    },
    "gate-lr": {
      type: "number",
      description: "learning rate of the gates",
      computed: {
        text: "100 / --steps, between 0.02 and 0.1",
        of: ({ steps }) => PRUNE_DEFAULTS.gateLr({ steps: Number(steps) }),
      },
      min: 0,
      max: MOST_RATE,
    },
    "lambda-lr": {
      type: "number",
      description: "learning rate of the Lagrange multipliers",
      computed: {
        text: "twice --gate-lr",
        of: ({ "gate-lr": lr }) => PRUNE_DEFAULTS.lambdaLr({ gateLr: Number(lr) }),
      },
      min: 0,
      max: MOST_RATE,
    },
    half: { type: "flag", description: "write the compact model's weights as f16: half the size" },
  }),
  ...group("Optimisation", {
    lr: {
      type: "number",
      description: "peak learning rate of the weights",
      default: PRUNE_DEFAULTS.lr,
      min: 0,
      max: MOST_RATE,
    },
    "finetune-steps": {
      type: "integer",
      description: "fine-tuning steps after pruning; 0: none",
      computed: {
        text: "half of --steps",
        of: ({ steps }) => PRUNE_DEFAULTS.finetuneSteps({ steps: Number(steps) }),
      },
      min: 0,
      max: MOST_STEPS,
    },
    "finetune-lr": {
      type: "number",
      description: "peak learning rate of fine-tuning",
      computed: { text: "--lr", of: ({ lr }) => PRUNE_DEFAULTS.finetuneLr({ lr: Number(lr) }) },
      min: 0,
      max: MOST_RATE,
    },
    "batch-seconds": trainOptions["batch-seconds"],
    "grad-accum-steps": trainOptions["grad-accum-steps"],
    "grad-checkpoint": trainOptions["grad-checkpoint"],
    "max-grad-norm": { ...trainOptions["max-grad-norm"], default: PRUNE_DEFAULTS.maxGradNorm },
    "weight-decay": { ...trainOptions["weight-decay"], default: PRUNE_DEFAULTS.weightDecay },
  }),
  ...group("Regularisation and augmentation", {
    distill: {
      ...share,
      description: "weight of the distillation loss against the model before pruning; 0: none",
      default: PRUNE_DEFAULTS.distill,
    },
    dropout: trainOptions.dropout,
    "mask-prob": trainOptions["mask-prob"],
    "speed-perturbation": trainOptions["speed-perturbation"],
    noise: trainOptions.noise,
    join: trainOptions.join,
  }),
  ...group("Run and output", {
    out: {
      type: "path",
      short: "o",
      value: "DIR",
      description: "folder for the compact model and the report",
      computed: { text: "pruned, or pruned-2, …" },
    },
    "eval-every": {
      type: "integer",
      description: "steps between evaluations on dev",
      computed: { text: "a quarter of each phase" },
      min: 1,
      max: MOST_STEPS,
    },
    "save-every": trainOptions["save-every"],
    seed: trainOptions.seed,
    recipe: trainOptions.recipe,
    resume: trainOptions.resume,
    "accept-changes": {
      type: "flag",
      description:
        "with --resume: accept that model, corpus or version have changed; what depends on them runs again",
    },
    "dry-run": trainOptions["dry-run"],
    json: { type: "flag", description: "print the report as JSON" },
  }),
} as const satisfies Options;

/** Options that a run was given; saved in its journal. */
export type PruneSettings = Given<typeof pruneOptions>;
