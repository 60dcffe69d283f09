// Files of tiny models, unchanged and changed, for the tests of checkpoints.
import type { CheckpointFiles } from "../../../model/checkpoint/read.ts";
import { parseSafetensors, type SafetensorsEntry } from "../../../model/checkpoint/safetensors.ts";
import { encodeSafetensors } from "../../../model/checkpoint/safetensors_encode.ts";

/** Entries of a file by name. */
export type Entries = Map<string, SafetensorsEntry>;

/** Path of a file of testdata/. */
export const path = (name: string) =>
  decodeURIComponent(new URL(`../../testdata/${name}`, import.meta.url).pathname);
/** UTF-8 bytes of a text. */
export const bytesOf = (text: string) => new TextEncoder().encode(text);
/** The weights of a tiny model, as a file. */
export const original = (family: string) => Deno.readFileSync(path(`${family}/model.safetensors`));
/** Its config, as a file. */
export const configBytes = (family: string) => Deno.readFileSync(path(`${family}/config.json`));

/** Files of a tiny model with changed tensors and config fields. */
export function files(change: (entries: Entries) => Entries | void, config: unknown = {}): CheckpointFiles {
  const { tensors, metadata } = parseSafetensors(original("base"));
  const json = { ...JSON.parse(new TextDecoder().decode(configBytes("base"))), ...config as object };
  return {
    name: "m",
    files: {
      "config.json": bytesOf(JSON.stringify(json)),
      "model.safetensors": encodeSafetensors(change(tensors) ?? tensors, metadata),
    },
  };
}

/** Renames entries, keeping their order. */
export const renamed = (entries: Entries, rename: (name: string) => string): Entries =>
  new Map([...entries].map(([name, entry]) => [rename(name), entry]));

/** An F32 entry; zeros by default. */
export const f32 = (
  shape: number[],
  values: ArrayLike<number> = new Float32Array(shape.reduce((a, b) => a * b, 1)),
) => {
  const data = new Uint8Array(Float32Array.from(values).buffer);
  return { dtype: "F32" as const, shape, data };
};

/** The base model in two shards. */
export function shards(): Record<string, Uint8Array> {
  const { tensors } = parseSafetensors(original("base"));
  const entries = [...tensors];
  const [one, two] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;
  const map = entries.map(([name], i) => [name, i < 30 ? one : two]);
  return {
    "config.json": configBytes("base"),
    [one]: encodeSafetensors(new Map(entries.slice(0, 30)), { format: "pt" }),
    [two]: encodeSafetensors(new Map(entries.slice(30)), { format: "pt" }),
    "model.safetensors.index.json": bytesOf(
      JSON.stringify({ metadata: {}, weight_map: Object.fromEntries(map) }),
    ),
  };
}
