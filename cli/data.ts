import { seeHelp } from "./program_name.ts";
import { defineCommand } from "./command.ts";
import { checkData, makeAsteriskData, makeCommandsData } from "./data_corpora.ts";
import { dataOptions, type DataValues } from "./data_options.ts";
import { onFiles } from "./files.ts";
import { print } from "./print.ts";
import { makeRandomModel } from "./random_model.ts";
import { suggest } from "./suggest.ts";
import { UserError } from "./user_error.ts";

/** One thing that `data` makes or checks. */
interface Kind {
  /** Options that it takes. */
  readonly takes: readonly (keyof DataValues)[];
  /** Options that it requires. */
  readonly needs?: readonly (keyof DataValues)[];
  /** Placeholder of its one operand; without it none is taken. */
  readonly operand?: string;
  /** Does the work and returns the exit status. */
  run(values: DataValues, operand: string): Promise<number>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  commands: {
    takes: ["out", "seed", "train", "dev", "test", "format", "json"],
    run: makeCommandsData,
  },
  asterisk: {
    takes: ["out", "seed", "format", "json"],
    needs: ["out"],
    run: makeAsteriskData,
  },
  "random-model": {
    takes: ["config", "out", "head", "seed"],
    needs: ["config", "out"],
    async run({ config, out, head, seed }) {
      const parameters = await makeRandomModel({ config: config!, out: out!, seed, ...head && { head } });
      print(`${out}: ${parameters.toLocaleString("en")} random weights, seed ${seed}`);
      return 0;
    },
  },
  check: {
    takes: ["task", "vocab", "lang", "limit", "strict", "json"],
    operand: "DIR",
    run: checkData,
  },
};

/** `data`: makes corpora and random models, and checks corpora. */
export const dataCommand = defineCommand({
  name: "data",
  summary: "Make a corpus or a random model, or check a corpus",
  access: ["files", "hub"],
  operands: "commands|asterisk|random-model|check DIR",
  choices: Object.keys(KINDS),
  options: dataOptions,
  examples: [
    ["the default corpus of synthesised spoken commands", "data commands"],
    ["check a corpus before training", "data check ~/LibriSpeech"],
    [
      "a model with random weights",
      "data random-model --config recipes/configs/tiny-base.json --out model",
    ],
  ],
  async run(values, [name, ...operands], given) {
    const kind = kindOf(name);
    const help = seeHelp("data");
    const unknown = (Object.keys(given) as (keyof DataValues)[]).find((name) => !kind.takes.includes(name));
    if (unknown) throw new UserError(`data ${name} has no option --${unknown}: ${help}`);
    const missing = kind.needs?.find((option) => values[option] === undefined);
    if (missing) throw new UserError(`data ${name} requires --${missing}: ${help}`);
    if (operands.length !== (kind.operand ? 1 : 0)) {
      const takes = kind.operand ? `one ${kind.operand}` : "no further arguments";
      throw new UserError(`data ${name} takes ${takes}: got ${operands.join(" ") || "none"}`);
    }
    return await onFiles(() => kind.run(values, operands[0] ?? ""));
  },
});

function kindOf(name: string | undefined): Kind {
  const names = Object.keys(KINDS);
  const known = names.join(", ");
  if (name === undefined) throw new UserError(`data requires what to make or check: ${known}`);
  if (Object.hasOwn(KINDS, name)) return KINDS[name]!;
  const meant = suggest(name, names);
  throw new UserError(
    `Unknown data kind ${name}: ${meant ? `did you mean ${meant}?` : `known are ${known}`}`,
  );
}
