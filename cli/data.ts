import { defineCommand, type Options, type Values } from "./command.ts";
import { checkData, makeAsteriskData, makeCommandsData } from "./data_corpora.ts";
import { onFiles } from "./files.ts";
import { makeRandomModel } from "./random_model.ts";
import { suggest } from "./suggest.ts";
import { UserError } from "./user_error.ts";

const options = {
  out: {
    type: "path",
    description: "folder to make; commands has one in the user's cache where none is given",
  },
  seed: {
    type: "integer",
    description: "seed of weights, sentences or split (0 unless given)",
    min: 0,
    max: 2 ** 32 - 1,
  },
  config: { type: "path", description: "random-model: config.json, such as one of recipes/configs/" },
  head: {
    type: "string",
    description: "random-model: what follows the Transformer, unless as the config says",
    choices: ["ctc", "classify", "none"],
  },
  train: { type: "integer", description: "commands: sentences to train with (3000 unless given)", min: 1 },
  dev: { type: "integer", description: "commands: sentences for dev (200 unless given)", min: 0 },
  test: {
    type: "integer",
    description: "commands: sentences to test with, each by two voices (300 unless given)",
    min: 0,
  },
  format: {
    type: "string",
    description: "commands, asterisk: audio files (wav unless given)",
    choices: ["wav", "flac"],
  },
  task: {
    type: "string",
    description: "check: what the corpus is for; as its lists say unless given",
    choices: ["asr", "slu"],
  },
  vocab: {
    type: "path",
    description: "check: vocab.json, or its folder; the characters of the training texts unless given",
  },
  json: { type: "flag", description: "commands, asterisk, check: print JSON" },
} as const satisfies Options;

/** The values of the options of `data`. */
export type DataValues = Values<typeof options>;

/** Something that `data` does. */
interface Kind {
  /** Options that it takes. */
  readonly takes: readonly (keyof DataValues)[];
  /** Options that it cannot do without. */
  readonly needs?: readonly (keyof DataValues)[];
  /** What its one operand is called; without it none is taken. */
  readonly operand?: string;
  /** Does it and returns the exit status. */
  run(values: DataValues, operand: string): Promise<number>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  "random-model": {
    takes: ["config", "out", "head", "seed"],
    needs: ["config", "out"],
    async run({ config, out, head, seed = 0 }) {
      const numbers = await makeRandomModel({ config: config!, out: out!, seed, ...head && { head } });
      console.log(`${out}: ${numbers.toLocaleString("en")} random weights, seed ${seed}`);
      return 0;
    },
  },
  commands: {
    takes: ["out", "seed", "train", "dev", "test", "format", "json"],
    run: makeCommandsData,
  },
  asterisk: {
    takes: ["out", "seed", "format", "json"],
    needs: ["out"],
    run: makeAsteriskData,
  },
  check: {
    takes: ["task", "vocab", "json"],
    operand: "DIR",
    run: checkData,
  },
};

/** `data`: makes corpora and what tests and measurements need, and checks corpora. */
export const dataCommand = defineCommand({
  name: "data",
  summary: "Make the spoken commands, the corpus of Asterisk's prompts or a random model, or check a corpus",
  operands: "commands|asterisk|random-model|check DIR",
  options,
  async run(values, [name, ...operands]) {
    const kind = kindOf(name);
    const fail = (rule: string) => new UserError(`Cannot run data ${name} as ${rule}: see data --help`);
    for (const [option, value] of Object.entries(values) as [keyof DataValues, unknown][]) {
      const given = value !== undefined && value !== false;
      if (given && !kind.takes.includes(option)) throw fail(`it has no option --${option}`);
    }
    const missing = kind.needs?.find((option) => values[option] === undefined);
    if (missing) throw fail(`--${missing} is required`);
    const wanted = kind.operand ? 1 : 0;
    if (operands.length !== wanted) {
      throw new UserError(
        wanted === 1
          ? `Cannot run data ${name} as it takes one ${kind.operand}: got ${operands.length}`
          : `Cannot run data ${name} as it makes one thing at a time: got ${operands[0]}`,
      );
    }
    return await onFiles(() => kind.run(values, operands[0] ?? ""));
  },
});

function kindOf(name: string | undefined): Kind {
  const names = Object.keys(KINDS);
  const known = names.join(", ");
  if (name === undefined) throw new UserError(`Cannot run data as it takes what to make: ${known}`);
  if (Object.hasOwn(KINDS, name)) return KINDS[name]!;
  const meant = suggest(name, names);
  throw new UserError(
    `Cannot run data as it cannot make ${name}: ${meant ? `did you mean ${meant}?` : `it makes ${known}`}`,
  );
}
