// The Python file of a compact model, with which transformers loads it.
import type { ModelConfig } from "../config_types.ts";
import { FAMILIES } from "../families.ts";
import { headOf } from "../parameter_specs.ts";
import source from "./modeling_espalier.py" with { type: "text" };

/** Name of the Python file in a model folder. */
export const PYTHON_FILE = "modeling_espalier.py";

const MODULE = PYTHON_FILE.replace(/\.py$/, "");

/** Kinds of classes, and what loads them. */
const CLASSES = {
  Model: "AutoModel",
  ForCTC: "AutoModelForCTC",
  ForSequenceClassification: "AutoModelForAudioClassification",
} as const;

const KINDS = { none: "Model", ctc: "ForCTC", classify: "ForSequenceClassification" } as const;

/** Whether the classes of transformers can express the sizes of a model. */
export function isStock(config: ModelConfig): boolean {
  const { num_attention_heads, head_dim, hidden_size, intermediate_size: [units = 0] } = config;
  return num_attention_heads.every((heads) => heads * head_dim === hidden_size) && units > 0 &&
    config.intermediate_size.every((n) => n === units) && !config.feature_scale &&
    config.use_attention.every(Boolean) && config.use_feed_forward.every(Boolean);
}

/**
 * `auto_map` of config.json: the classes of {@linkcode pythonFile} that `AutoModel` and its like load with
 * `trust_remote_code=True`. Null for a model that transformers loads by itself.
 */
export function autoMap(config: ModelConfig): Record<string, string> | null {
  if (isStock(config)) return null;
  const family = `${MODULE}.${FAMILIES[config.model_type].className}`;
  const kind = KINDS[headOf(config)];
  return { AutoModel: `${family}Model`, [CLASSES[kind]]: family + kind };
}

/** Whether an `auto_map` is one of {@linkcode autoMap}. */
export function isOurMap(map: unknown): boolean {
  return JSON.stringify(map ?? "").includes(`${MODULE}.`);
}

/** The Python file of a model; null for one that transformers loads by itself. */
export function pythonFile(config: ModelConfig): string | null {
  if (isStock(config)) return null;
  const family = FAMILIES[config.model_type].className;
  const classes = Object.entries(CLASSES).map(([kind, auto]) =>
    `\n\nclass ${family}${kind}(Compact, transformers.${family}${kind}):\n    _auto_class = "${auto}"\n`
  );
  return source + classes.join("");
}
