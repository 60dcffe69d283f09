import type { DiskTensor, Weight } from "./types.ts";
import type { WeightFile } from "./weight_files.ts";
import { isInside, isTorchaudio, type Meaning, meaningOf } from "./names.ts";
import type { HeadKind, ModelConfig } from "../config.ts";
import { printable } from "./json_fields.ts";
import { headOf, MASK_EMBEDDING, type ParameterSpec, parameterSpecs } from "../parameter_specs.ts";
import { fillEmptied, type Located, placeTensors, showSizes, valuesOf } from "./place_tensors.ts";

/** The tensors of files, put in their places. */
export interface Matched {
  /** Architecture, as the tensors have it. */
  readonly config: ModelConfig;
  /** What follows the Transformer. */
  readonly head: HeadKind;
  /** Tensors by the names of {@linkcode parameterSpecs}, in its order. */
  readonly tensors: Map<string, Weight>;
  /** What is odd about the files: a sentence each. */
  readonly notes: string[];
  /** All tensors of the files, in the order of their bytes. */
  readonly onDisk: DiskTensor[];
}

interface Found extends Located {
  readonly meaning: Meaning;
}

/** DPHuBERT's factors of the last convolution's channels, after GELU. */
const FACTORS = "feature_extractor.dummy_weight";

/**
 * Finds the tensors of a model among those of its files, and checks each.
 *
 * @param config What `config.json` says; the tensors decide about the biases of convolutions.
 * @param files Parsed files.
 * @throws {SyntaxError} If a tensor is there twice or has no place.
 * @throws {TypeError} If a tensor is missing, or its shape or dtype is wrong.
 * @throws {RangeError} If a weight is not finite, or a part is not supported.
 */
export function matchTensors(config: ModelConfig, files: readonly WeightFile[]): Matched {
  const names = files.flatMap(({ content }) => [...content.tensors.keys()]);
  const torchaudio = isTorchaudio(names);
  const found = files.flatMap(({ name: file, content }): Found[] =>
    [...content.tensors].map(([name, entry]) => ({
      file,
      name,
      entry,
      meaning: entry.shape.includes(0) ? { outside: "" } : meaningOf(name, torchaudio),
    }))
  );
  const places = placesOf(found);
  const notes: string[] = [];
  const actual = withBiases(config, places, notes);
  const head = headOfFiles(actual, places, files);
  const mask: ParameterSpec = { name: MASK_EMBEDDING, shape: [config.hidden_size], group: MASK_EMBEDDING };
  const specs = new Map([mask, ...parameterSpecs(actual, head)].map((spec) => [spec.name, spec]));

  const tensors = new Map<string, Weight>();
  const aside = new Map<string, string[]>();
  const onDisk = found.map((tensor): DiskTensor => {
    const reason = reasonToLeave(tensor, specs);
    if (reason === null && "keys" in tensor.meaning) {
      const { keys } = tensor.meaning;
      placeTensors(tensor, keys.map((key) => specs.get(key)!), tensors);
      return { name: tensor.name, keys, aside: null };
    }
    if (reason) aside.set(reason, [...aside.get(reason) ?? [], tensor.name]);
    return { name: tensor.name, keys: [], aside: tensor.entry };
  });
  for (const [reason, left] of aside) {
    const more = left.length > 3 ? ` and ${left.length - 3} more` : "";
    notes.push(`Left aside, as it ${reason}: ${left.slice(0, 3).map(printable).join(", ")}${more}`);
  }
  fillEmptied(actual, specs, tensors, notes);
  const missing = [...specs.values()].filter(({ name }) => name !== MASK_EMBEDDING && !tensors.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? `, like ${missing.length - 1} more` : "";
    const [{ name, shape }] = missing as [ParameterSpec];
    const where = files.length === 1 ? files[0]!.name : "the shards";
    throw new TypeError(
      `Cannot load ${where} as ${name} ${showSizes(shape)} is needed: it is missing${more}`,
    );
  }
  // In the order of the model, whatever the file's.
  const ordered = [...specs.keys()].flatMap((key) => {
    const weight = tensors.get(key);
    return weight ? [[key, weight] as const] : [];
  });
  return { config: actual, head, tensors: new Map(ordered), notes, onDisk };
}

/** File and name by the model's tensor. */
function placesOf(found: readonly Found[]): Map<string, string> {
  const places = new Map<string, string>();
  for (const { file, name, meaning } of found) {
    if ("unsupported" in meaning) {
      throw new RangeError(`Cannot load ${file} as ${meaning.unsupported}: it has ${printable(name)}`);
    }
    for (const key of "keys" in meaning ? meaning.keys : []) {
      const other = places.get(key);
      if (other !== undefined) {
        const both = `${printable(other)} and ${printable(name)} are one`;
        throw new SyntaxError(`Cannot load ${file} as each tensor may be there once: ${both}`);
      }
      places.set(key, name);
    }
  }
  return places;
}

/** The config with `conv_bias` as the tensors have it: published configs of HuBERT contradict their files. */
function withBiases(
  config: ModelConfig,
  places: ReadonlyMap<string, string>,
  notes: string[],
): ModelConfig {
  const weights = config.conv_dim.some((_, i) =>
    places.has(`feature_extractor.conv_layers.${i}.conv.weight`)
  );
  const biases = config.conv_dim.some((_, i) => places.has(`feature_extractor.conv_layers.${i}.conv.bias`));
  if (!weights || biases === config.conv_bias) return config;
  notes.push(
    `conv_bias is ${config.conv_bias} in config.json, but the weights ${biases ? "have" : "lack"} biases`,
  );
  return { ...config, conv_bias: biases };
}

function headOfFiles(
  config: ModelConfig,
  places: ReadonlyMap<string, string>,
  files: readonly WeightFile[],
): HeadKind {
  const seen = places.has("lm_head.weight") ? "ctc" : places.has("classifier.weight") ? "classify" : "none";
  const wanted = headOf(config);
  const head = wanted === "none" ? seen : wanted;
  if (head === "classify" && config.use_weighted_layer_sum) {
    const rule = "a classifier over a weighted sum of layers is not supported";
    throw new RangeError(`Cannot load ${files[0]?.name} as ${rule}: use_weighted_layer_sum is true`);
  }
  return head;
}

/** Why a tensor is not the model's, "" without a word about it; null where it is. */
function reasonToLeave(
  found: Found,
  specs: ReadonlyMap<string, ParameterSpec>,
): string | null {
  const { file, name, meaning } = found;
  if ("outside" in meaning) return meaning.outside;
  if ("unsupported" in meaning) return null;
  if (meaning.keys.every((key) => specs.has(key))) return null;
  if (meaning.keys[0] === FACTORS) {
    if (valuesOf(found).every((factor) => factor === 1)) return "is 1 everywhere";
    const rule = "factors of the last convolution's channels are not supported";
    throw new RangeError(`Cannot load ${file} as ${rule}: ${printable(name)} is not 1 everywhere`);
  }
  if (!isInside(meaning.keys[0]!)) return "has no place in the model";
  throw new SyntaxError(`Cannot load ${file} as config.json has no place for a tensor: ${printable(name)}`);
}
