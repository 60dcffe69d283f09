// Fingerprints of what a run rests on, by which a resumed run notices that it has changed.
import type { TimedUtterance } from "../data/corpus/durations.ts";
import { digestOf, digestOfNamed } from "../files/digest.ts";
import { type ModelFiles, TOKENIZER_FILES } from "../model/inference/model_files.ts";
import type { BaseModel } from "./start.ts";

/** What runs rest on, as messages name it. */
export const INPUTS = {
  version: "the version of espalier",
  model: "the model",
  vocabulary: "the vocabulary",
  train: "the training subset",
  dev: "the dev subset",
  test: "the test subset",
} as const;

/** A thing that a run rests on. */
export type Input = keyof typeof INPUTS;

/** Fingerprints by what they are of. The words before the last comma describe it. */
export type Fingerprints = Readonly<Partial<Record<Input, string>>>;

/**
 * Fingerprint of a subset: ids, transcripts, classes, speakers, lengths and places in their files, in their order. The samples are not read.
 *
 * @param utterances The subset; null for none.
 */
export async function subsetFingerprint(utterances: readonly TimedUtterance[] | null): Promise<string> {
  if (utterances === null) return "none";
  const lines = utterances.map(({ id, text, intent, speaker, seconds, segment, row }) =>
    JSON.stringify([id, text, intent, speaker, seconds, segment, row])
  );
  const all = utterances.reduce((sum, { seconds }) => sum + seconds, 0);
  return `${utterances.length} utterances, ${all.toFixed(2)} s, ${await digestOf(lines.join("\n"))}`;
}

/** Fingerprint of a model: config, weights and preprocessor. @param model The model. */
export async function modelFingerprint({ checkpoint, files }: BaseModel): Promise<string> {
  const digests: [string, string][] = [];
  // In turn: each takes a copy.
  for (const [name, { shape, data }] of checkpoint.tensors) {
    const { buffer, byteOffset, byteLength } = data;
    const digest = await digestOf(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
    digests.push([name, `${shape} ${digest}`]);
  }
  const preprocessor = files["preprocessor_config.json"] ?? "";
  const parts = [
    JSON.stringify(checkpoint.config),
    preprocessor,
    await digestOfNamed(digests),
  ];
  return `${digests.length} tensors, ${await digestOf(parts.join("\n"))}`;
}

/** Fingerprint of a vocabulary and the files that name its special tokens. @param files Files of the model. */
export async function vocabularyFingerprint(files: ModelFiles): Promise<string> {
  if (files["vocab.json"] === undefined) return "none";
  return await digestOf(["vocab.json", ...TOKENIZER_FILES].map((name) => files[name] ?? "").join("\n"));
}

/**
 * What differs between two sets of fingerprints.
 *
 * @param before Those that a run was begun with. What they lack was not recorded.
 * @param now Those of now.
 */
export function changedInputs(before: Fingerprints, now: Fingerprints): Input[] {
  return (Object.keys(INPUTS) as Input[]).filter((input) => {
    return before[input] !== undefined && before[input] !== now[input];
  });
}

/** Changed inputs in words: `the test subset (3 utterances, 9.42 s, now 2 utterances, 6.10 s)`. */
export function changesText(inputs: readonly Input[], before: Fingerprints, now: Fingerprints): string {
  return inputs.map((input) => {
    const [was, is] = [described(before[input]), described(now[input])];
    if (input === "version") return `${INPUTS[input]} (${before[input]}, now ${now[input]})`;
    return was === is ? INPUTS[input] : `${INPUTS[input]} (${was}, now ${is})`;
  }).join(" and ");
}

function described(fingerprint = "none"): string {
  return fingerprint.replace(/(, |^)[0-9a-f]{64}$/, "");
}
