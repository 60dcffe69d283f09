import { defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { makeRandomModel } from "./random_model.ts";
import { suggest } from "./suggest.ts";
import { UserError } from "./user_error.ts";

/** What `data` makes. */
const KINDS = ["random-model"];

/** `data`: makes what tests and measurements need. */
export const dataCommand = defineCommand({
  name: "data",
  summary: "Make a randomly initialised model: `data random-model --config FILE --out DIR`",
  operands: "random-model",
  options: {
    config: { type: "path", description: "config.json of the model, such as one of recipes/configs/" },
    out: { type: "path", description: "folder to make, which must not be there" },
    head: {
      type: "string",
      description: "what follows the Transformer, unless as the config says",
      choices: ["ctc", "classify", "none"],
    },
    seed: { type: "integer", description: "seed of the weights", default: 0, min: 0, max: 2 ** 32 - 1 },
  },
  async run({ config, out, seed, head }, [kind, more]) {
    if (kind === undefined || !KINDS.includes(kind) || more !== undefined) throw noSuch(kind, more);
    const option = { config, out };
    for (const [name, value] of Object.entries(option)) {
      if (value === undefined) {
        throw new UserError(`Cannot run data ${kind} as --${name} is required: see data --help`);
      }
    }
    const numbers = await onFiles(() =>
      makeRandomModel({ config: config!, out: out!, seed, ...head && { head } })
    );
    console.log(`${out}: ${numbers.toLocaleString("en")} random weights, seed ${seed}`);
    return 0;
  },
});

function noSuch(kind: string | undefined, more: string | undefined): UserError {
  const known = KINDS.join(", ");
  if (kind === undefined) return new UserError(`Cannot run data as it takes what to make: ${known}`);
  if (KINDS.includes(kind)) {
    return new UserError(`Cannot run data as it makes one thing at a time: got ${more}`);
  }
  const meant = suggest(kind, KINDS);
  return new UserError(
    `Cannot run data as it cannot make ${kind}: ${meant ? `did you mean ${meant}?` : `it makes ${known}`}`,
  );
}
