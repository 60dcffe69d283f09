import { readWhole } from "../model/whole_file.ts";
import { type Command, type Options, parse, type Values } from "./command.ts";
import { UserError } from "./user_error.ts";

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
  task: { type: "string", description: "speech recognition or intents (asr)", choices: ["asr", "slu"] },
  out: { type: "path", description: "folder for the model, its metrics and its state" },
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
  accumulate: {
    type: "integer",
    description: "parts that a step's audio is computed in, to save memory (1)",
    min: 1,
  },
  clip: { type: "number", description: "norm that gradients are scaled down to (5)", min: 1e-9 },
  "weight-decay": { type: "number", description: "decay of weights, not of biases and norms (0.01)", min: 0 },
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
  resume: { type: "flag", description: "go on with the run in --out, with its options" },
  recipe: { type: "path", description: "JSON file of options by these names; the command line wins" },
} as const satisfies Options;

/** Values as they are given: undefined, or false for a flag, where they are not. */
export type TrainValues = Values<typeof trainOptions>;

/** Options that a run is made with, those that were given; kept in its state. */
export type TrainSettings = { readonly [K in keyof TrainValues]?: NonNullable<TrainValues[K]> };

/** The options that were given. */
export function givenOf(values: Values<Options>): TrainSettings {
  const kept = Object.entries(values).filter(([name, value]) => {
    return value !== undefined && value !== false && name !== "resume" && name !== "recipe";
  });
  return Object.fromEntries(kept);
}

/**
 * Reads a recipe. Paths in it are taken from its folder.
 *
 * @param path the file
 * @param command the command whose options it names
 * @throws {UserError} it is no object of options; one line
 */
export async function readRecipe(path: string, command: Command): Promise<TrainSettings> {
  const bytes = await readWhole(path);
  const refuse = (rule: string, found: string) => new UserError(`Cannot read ${path} as ${rule}: ${found}`);
  if (!bytes) throw refuse("a recipe is a file", "there is none");
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw refuse("a recipe is JSON", (error as Error).message);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refuse("a recipe is an object of options", JSON.stringify(json));
  }
  const words = Object.entries(json).flatMap(([name, value]) => {
    if (name === "resume" || name === "recipe" || name === "help") {
      throw refuse("it cannot have this option", name);
    }
    if (command.options[name]?.type !== "flag") return [`--${name}=${value}`];
    if (typeof value !== "boolean") throw refuse(`${name} must be true or false`, JSON.stringify(value));
    return value ? [`--${name}`] : [];
  });
  try {
    const at = path.lastIndexOf("/");
    const folder = at < 0 ? "." : path.slice(0, at);
    const request = parse(command, words, folder);
    if (request.help) return {};
    const given = givenOf(request.values);
    // A model is a path or a name on the hub; with a dot it is a path.
    const { model } = given;
    return typeof model === "string" && model.startsWith(".")
      ? { ...given, model: `${folder}/${model}` }
      : given;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} (in ${path})`);
  }
}
