import type { HeadKind, ModelConfig } from "../model/config.ts";
import { parseConfig } from "../model/config.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import { headOf, isStatistic } from "../model/parameter_specs.ts";
import { randomCheckpoint } from "../model/random.ts";
import { readFileIfExists, writeFileAtomic } from "../files/atomic_file.ts";
import { writeWholeFolder } from "../files/whole_folder.ts";

/** Options of a random model. */
export interface RandomModelOptions {
  /** Path of a `config.json`. */
  readonly config: string;
  /** Path of the folder to write. */
  readonly out: string;
  readonly seed: number;
  /** Head; that of the config unless given. */
  readonly head?: HeadKind;
}

/** The letters of English by frequency, in the order of the published vocabularies. */
const LETTERS = "ETAOINHSRDLUMWCFGYPBVK'XJQZ";

/**
 * Writes the folder of a randomly initialised model, complete or not at all: config, weights, vocabulary and
 * preprocessor settings.
 *
 * @param options config, folder and seed
 * @returns the number of parameters
 * @throws {Error} the output exists, or a file cannot be read or written; one line
 */
export async function makeRandomModel(
  { config: path, out, seed, head }: RandomModelOptions,
): Promise<number> {
  const text = await readFileIfExists(path);
  if (!text) throw new Error(`Cannot make a random model as a config is needed: there is no file ${path}`);
  const config = parseConfig(new TextDecoder().decode(text), path);
  await refuseExisting(out);
  const checkpoint = randomCheckpoint(config, seed, head ?? headOf(config));
  await writeWholeFolder(out, async (partial) => {
    await refuseExisting(out);
    await writeCheckpoint(partial, checkpoint);
    await writeJson(`${partial}/preprocessor_config.json`, preprocessor(config));
    if (checkpoint.head !== "classify") await writeJson(`${partial}/vocab.json`, vocabulary(config));
  });
  return [...checkpoint.tensors].filter(([name]) => !isStatistic(name))
    .reduce((sum, [, { data }]) => sum + data.length, 0);
}

/**
 * A vocabulary of `vocab_size` tokens with padding at `pad_token_id`: the other special tokens and the word delimiter,
 * the letters by frequency, then placeholders.
 */
export function vocabulary({ vocab_size, pad_token_id }: ModelConfig): Record<string, number> {
  const tokens = ["<s>", "</s>", "<unk>", "|", ...LETTERS];
  for (let i = 0; tokens.length < vocab_size; i++) tokens.push(`<extra_${i}>`);
  tokens.splice(pad_token_id, 0, "<pad>");
  return Object.fromEntries(tokens.slice(0, vocab_size).map((token, id) => [token, id]));
}

/** As in the published models: those with group norm were trained without an attention mask. */
function preprocessor({ feat_extract_norm }: ModelConfig): Record<string, unknown> {
  return {
    do_normalize: true,
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
    padding_value: 0,
    return_attention_mask: feat_extract_norm === "layer",
    sampling_rate: 16000,
  };
}

async function refuseExisting(out: string): Promise<void> {
  if (!await exists(out)) return;
  throw new Error(`Cannot make a random model as the output must be a new folder: ${out} exists`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw new Error(`Cannot write ${path} as the system refuses: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFileAtomic(path, [new TextEncoder().encode(JSON.stringify(value, null, 2) + "\n")]);
}
