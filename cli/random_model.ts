import type { HeadKind, ModelConfig } from "../model/config.ts";
import { parseConfig } from "../model/config.ts";
import { writeCheckpoint } from "../model/checkpoint/write.ts";
import { headOf } from "../model/parameter_specs.ts";
import { randomCheckpoint } from "../model/random.ts";
import { readFileIfExists, writeFileAtomic } from "../model/checkpoint/atomic_file.ts";

/** What a random model is made of. */
export interface RandomModelOptions {
  /** Path of a `config.json`. */
  readonly config: string;
  /** Path of the folder to make. */
  readonly out: string;
  readonly seed: number;
  /** Head; as the config says unless given. */
  readonly head?: HeadKind;
}

/** The letters of English by frequency, as the published vocabularies order them. */
const LETTERS = "ETAOINHSRDLUMWCFGYPBVK'XJQZ";

/**
 * Makes the folder of a randomly initialised model, whole or not at all: config, weights, vocabulary and settings of
 * the preprocessor.
 *
 * @param options What to make.
 * @returns Numbers of the model.
 * @throws {Error} The output is there already, or a file cannot be read or written; one line, like those of
 * {@linkcode parseConfig}.
 */
export async function makeRandomModel(
  { config: path, out, seed, head }: RandomModelOptions,
): Promise<number> {
  const text = await readFileIfExists(path);
  if (!text) throw new Error(`Cannot make a random model as it needs a config: there is no file ${path}`);
  const config = parseConfig(new TextDecoder().decode(text), path);
  if (await exists(out)) throw new Error(`Cannot make a random model as the output is there already: ${out}`);
  const checkpoint = randomCheckpoint(config, seed, head ?? headOf(config));
  const partial = `${out.replace(/\/+$/, "")}.${Deno.pid}.partial`;
  try {
    await writeCheckpoint(partial, checkpoint);
    await writeJson(`${partial}/preprocessor_config.json`, preprocessor(config));
    if (checkpoint.head !== "classify") await writeJson(`${partial}/vocab.json`, vocabulary(config));
    await Deno.rename(partial, out);
  } catch (error) {
    await Deno.remove(partial, { recursive: true }).catch(() => {});
    throw error;
  }
  return [...checkpoint.tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
}

/**
 * A vocabulary of `vocab_size` tokens, padding at `pad_token_id`: the other special ones and the word delimiter, the
 * letters by frequency, then tokens without a meaning.
 */
export function vocabulary({ vocab_size, pad_token_id }: ModelConfig): Record<string, number> {
  const tokens = ["<s>", "</s>", "<unk>", "|", ...LETTERS];
  for (let i = 0; tokens.length < vocab_size; i++) tokens.push(`<extra_${i}>`);
  tokens.splice(pad_token_id, 0, "<pad>");
  return Object.fromEntries(tokens.slice(0, vocab_size).map((token, id) => [token, id]));
}

/** As the published models have it: those of the group family were trained without an attention mask. */
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
