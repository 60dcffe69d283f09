// Assigns the tensors of files to the parameters of a model.
import type { DiskTensor, Weight } from "./types.ts";
import type { WeightFile } from "./weight_files.ts";
import { isInside, isTorchaudio, type ParsedName, parseTensorName } from "./names.ts";
import type { HeadKind, ModelConfig } from "../config.ts";
import { printable } from "../../files/printable.ts";
import {
  FEATURE_SCALE,
  headOf,
  MASK_EMBEDDING,
  type ParameterSpec,
  parameterSpecs,
} from "../parameter_specs.ts";
import { type FileTensor, formatShape, placeTensors, valuesOf } from "./place_tensors.ts";

/** The tensors of files, assigned to the parameters of a model. */
export interface Matched {
  /** Architecture, corrected to agree with the tensors. */
  readonly config: ModelConfig;
  /** Head on top of the Transformer. */
  readonly head: HeadKind;
  /** Tensors by the names of `parameterSpecs`, in its order. */
  readonly tensors: Map<string, Weight>;
  /** Remarks on the files, a sentence each. */
  readonly notes: string[];
  /** All tensors of the files, in the order of their bytes. */
  readonly onDisk: DiskTensor[];
}

interface NamedTensor extends FileTensor {
  readonly parsed: ParsedName;
}

/**
 * Finds the tensors of a model in its files, and checks each.
 *
 * @param config Parsed `config.json`; `conv_bias`, `feature_scale` and absent sub-layers are corrected to agree with the tensors.
 * @param files Parsed files.
 * @throws {SyntaxError} If a tensor is stored twice or has no place in the model.
 * @throws {TypeError} If a tensor is missing, or its shape or dtype is wrong.
 * @throws {RangeError} If a weight is not finite, or a part of the model is not supported.
 */
export function matchTensors(config: ModelConfig, files: readonly WeightFile[]): Matched {
  const torchaudio = isTorchaudio(files.flatMap(({ content }) => [...content.tensors.keys()]));
  const stored = files.flatMap(({ name: file, content }): NamedTensor[] =>
    [...content.tensors].map(([name, entry]) => ({
      file,
      name,
      entry,
      parsed: entry.shape.includes(0) ? { unused: "" } : parseTensorName(name, torchaudio),
    }))
  );
  const places = fileNamesOf(stored);
  const notes: string[] = [];
  const actual = withAbsences(withScale(withBiases(config, places, notes), stored), places, notes);
  const head = headOfFiles(actual, places);
  const mask: ParameterSpec = { name: MASK_EMBEDDING, shape: [config.hidden_size], group: MASK_EMBEDDING };
  const specs = new Map([mask, ...parameterSpecs(actual, head)].map((spec) => [spec.name, spec]));

  const tensors = new Map<string, Weight>();
  const unused = new Map<string, string[]>();
  const onDisk = stored.map((tensor): DiskTensor => {
    const reason = unusedReason(tensor, specs);
    if (reason === null && "keys" in tensor.parsed) {
      const { keys } = tensor.parsed;
      placeTensors(tensor, keys.map((key) => specs.get(key)!), tensors);
      return { name: tensor.name, keys, unused: null };
    }
    if (reason) unused.set(reason, [...unused.get(reason) ?? [], tensor.name]);
    return { name: tensor.name, keys: [], unused: tensor.entry };
  });
  for (const [reason, names] of unused) {
    const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
    notes.push(`Unused tensors (${reason}): ${names.slice(0, 3).map(printable).join(", ")}${more}`);
  }
  const missing = [...specs.values()].filter(({ name }) => name !== MASK_EMBEDDING && !tensors.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? `, and ${missing.length - 1} more` : "";
    const [{ name, shape }] = missing as [ParameterSpec];
    const where = files.length === 1 ? files[0]!.name : "the shards";
    throw new TypeError(
      `Cannot load ${where} as ${name} ${formatShape(shape)} is required: it is missing${more}`,
    );
  }
  // In the order of the model, not of the files.
  const ordered = [...specs.keys()].flatMap((key) => {
    const weight = tensors.get(key);
    return weight ? [[key, weight] as const] : [];
  });
  return { config: actual, head, tensors: new Map(ordered), notes, onDisk };
}

/** Name in the files by name in the model. */
function fileNamesOf(stored: readonly NamedTensor[]): Map<string, string> {
  const places = new Map<string, string>();
  for (const { file, name, parsed } of stored) {
    if ("unsupported" in parsed) {
      throw new RangeError(`Cannot load ${file} as ${parsed.unsupported}: it has ${printable(name)}`);
    }
    for (const key of "keys" in parsed ? parsed.keys : []) {
      const other = places.get(key);
      if (other !== undefined) {
        const both = `${printable(other)} and ${printable(name)} are the same`;
        throw new SyntaxError(`Cannot load ${file} as each tensor must be stored once: ${both}`);
      }
      places.set(key, name);
    }
  }
  return places;
}

/** The config with `conv_bias` as in the tensors; published configs of HuBERT contradict their files. */
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

/** The config with `feature_scale` if a scale is stored that is not 1 for every channel. */
function withScale(config: ModelConfig, stored: readonly NamedTensor[]): ModelConfig {
  const scale = stored.find(({ parsed }) => "keys" in parsed && parsed.keys[0] === FEATURE_SCALE);
  if (!scale || valuesOf(scale).every((factor) => factor === 1)) return config;
  return { ...config, feature_scale: true };
}

/** The config where sub-layers without units and tensors are absent, as DPHuBERT omits them with their output bias. */
function withAbsences(
  config: ModelConfig,
  places: ReadonlyMap<string, string>,
  notes: string[],
): ModelConfig {
  const stored = new Set(
    [...places.keys()].map((key) => key.replace(/^(encoder\.layers\.\d+\.\w+)\..*/, "$1")),
  );
  const used = (use: readonly boolean[], units: readonly number[], part: string) =>
    use.map((used, j) => {
      const module = `encoder.layers.${j}.${part}`;
      const absent = used && units[j] === 0 && !stored.has(module);
      if (absent) notes.push(`${module} has no units and no tensors: the sub-layer is absent`);
      return used && !absent;
    });
  return {
    ...config,
    use_attention: used(config.use_attention, config.num_attention_heads, "attention"),
    use_feed_forward: used(config.use_feed_forward, config.intermediate_size, "feed_forward"),
  };
}

function headOfFiles(
  config: ModelConfig,
  places: ReadonlyMap<string, string>,
): HeadKind {
  const stored = places.has("lm_head.weight") ? "ctc" : places.has("classifier.weight") ? "classify" : "none";
  const configured = headOf(config);
  return configured === "none" ? stored : configured;
}

/** Why the model does not use a tensor, "" for no remark; null if it is used. */
function unusedReason(
  tensor: NamedTensor,
  specs: ReadonlyMap<string, ParameterSpec>,
): string | null {
  const { file, name, parsed } = tensor;
  if ("unused" in parsed) return parsed.unused;
  if ("unsupported" in parsed) return null;
  if (parsed.keys.every((key) => specs.has(key))) return null;
  if (parsed.keys[0] === FEATURE_SCALE) return "scales that are all 1";
  if (parsed.keys[0] === "encoder.pos_conv_embed.conv.weight") {
    const rule = "weight norm must be stored as weight_g and weight_v";
    throw new RangeError(`Cannot load ${file} as ${rule}: it has ${printable(name)}`);
  }
  if (!isInside(parsed.keys[0]!)) return "not part of the model";
  throw new SyntaxError(`Cannot load ${file} as config.json has no place for a tensor: ${printable(name)}`);
}
