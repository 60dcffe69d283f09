// A model of MMS in two languages: transformers' small one, with the adapter of another language beside it.
import { encodeSafetensors } from "../../../model/checkpoint/safetensors_encode.ts";
import type { SafetensorsEntry } from "../../../model/checkpoint/safetensors.ts";
import { parseConfig } from "../../../model/config.ts";
import { publishedName } from "../../../model/parameter_specs.ts";
import { randomCheckpoint } from "../../../model/random.ts";

const file = (name: string) =>
  Deno.readFileSync(new URL(`../../testdata/families/mms/${name}`, import.meta.url));
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const ids = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));

/** Tokens of both languages; the model's own head is that of the first. */
export const TOKENS = {
  eng: ["<pad>", ..."xyABCDEF"],
  fra: ["<pad>", ..."FEDCBAxyéç"],
};

/** Tensors of the French adapter by the names of its file. */
export function frenchTensors(): Map<string, SafetensorsEntry> {
  const config = parseConfig(new TextDecoder().decode(file("config.json")));
  const { tensors } = randomCheckpoint({ ...config, vocab_size: TOKENS.fra.length }, 5, "ctc");
  const adapter = [...tensors].filter(([name]) => /adapter_layer|lm_head/.test(name));
  return new Map(adapter.map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return [publishedName(config, name), { dtype: "F32", shape: [...shape], data: bytes }];
  }));
}

/** Files of the model. */
export function multilingualFiles(): Record<string, Uint8Array<ArrayBuffer>> {
  return {
    "config.json": file("config.json"),
    "model.safetensors": file("model.safetensors"),
    "adapter.fra.safetensors": encodeSafetensors(frenchTensors(), { format: "pt" }),
    "vocab.json": encode({ eng: ids(TOKENS.eng), fra: ids(TOKENS.fra) }),
    "tokenizer_config.json": encode({ target_lang: "eng", do_lower_case: false }),
  };
}
