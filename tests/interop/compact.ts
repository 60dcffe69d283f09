// Compact models, as transformers loads them: with the Python file beside them, and padded for its own classes.
import { readCheckpoint } from "../../model/checkpoint/read.ts";
import type { Checkpoint } from "../../model/checkpoint/types.ts";
import { writeCheckpoint } from "../../model/checkpoint/write.ts";
import { FEATURE_SCALE } from "../../model/parameter_specs.ts";
import { padModel } from "../../model/transformers/pad.ts";
import type { Choice } from "../../prune/choose.ts";
import { compact } from "../../prune/surgery.ts";
import type { Gpu } from "../../tensor/gpu.ts";
import { errorOfModel } from "./compare.ts";

/** Called for each comparison with its largest error and a remark, empty where nothing is wrong. */
type Report = (name: string, error: number, remark: string) => void;

const units = (...indices: number[]) => ({ indices, gates: indices.map((i) => 0.5 + 0.1 * (i % 7)) });

/** One channel, no heads in a layer, no units in another. */
const SMALL: Choice = new Map([
  ["conv.0", units(0, 2, 3, 5)],
  ["conv.1", units(4)],
  ["conv.3", units(0, 1, 2, 5, 7, 8, 11)],
  ["heads.0", units(0, 2)],
  ["heads.1", units()],
  ["ffn.0", units()],
  ["ffn.1", units(1, 2, 3, 5, 8, 13, 19)],
]);

const NONE_FIRST: Choice = new Map([["heads.0", units()], ["heads.1", units(1)], ["ffn.0", units(3)]]);

/** A layer norm over one channel makes all features equal, and later norms amplify their rounding. */
function twoChannels(choice: Choice): Choice {
  return choice.has("conv.1") ? new Map([...choice, ["conv.1", units(4, 7)]]) : choice;
}

function cut(model: Checkpoint, choice: Choice): Checkpoint {
  return { ...model, ...compact(model, choice) };
}

/** A model without one attention and one feed-forward block, with a scale of its last convolution, as DPHuBERT has. */
function withoutSublayers(model: Checkpoint): Checkpoint {
  const { config } = model;
  const features = config.conv_dim.at(-1)!;
  const gone = /encoder\.layers\.(1\.attention|0\.feed_forward)\./;
  const tensors = new Map([...model.tensors].filter(([name]) => !gone.test(name)));
  const data = Float32Array.from({ length: features }, (_, i) => 0.5 + i / features);
  return {
    ...model,
    tensors: tensors.set(FEATURE_SCALE, { shape: [features], data }),
    config: {
      ...config,
      feature_scale: true,
      num_attention_heads: config.num_attention_heads.with(1, 0),
      remaining_heads: config.remaining_heads?.with(1, []) ?? null,
      use_attention: config.use_attention.with(1, false),
      intermediate_size: config.intermediate_size.with(0, 0),
      use_feed_forward: config.use_feed_forward.with(0, false),
    },
  };
}

/**
 * Writes compact models, runs them in Python, and compares.
 *
 * @param from Folder with a random model of each family in `NAME/safetensors`.
 * @param to Empty folder for the compact ones.
 * @param python Runs compact.py and returns what it prints.
 */
export async function compareCompact(
  gpu: Gpu,
  { from, to, python, report }: {
    readonly from: string;
    readonly to: string;
    readonly python: (folder: string) => Promise<string>;
    readonly report: Report;
  },
): Promise<void> {
  for (const { name } of Deno.readDirSync(from)) {
    if (name.endsWith("-pretraining")) continue; // has tensors of the width of the last convolution that no model uses
    const model = await readCheckpoint(`${from}/${name}/safetensors`);
    for (const [kind, choice] of [["small", SMALL], ["none-first", NONE_FIRST]] as const) {
      const small = cut(model, model.config.feat_extract_norm === "layer" ? twoChannels(choice) : choice);
      await writeCheckpoint(`${to}/${name}-${kind}/compact`, small);
      await writeCheckpoint(`${to}/${name}-${kind}/padded`, padModel(small));
    }
    await writeCheckpoint(`${to}/${name}-absent/compact`, withoutSublayers(model));
  }
  for (const line of (await python(to)).trim().split("\n")) {
    const { name, odd, same } = JSON.parse(line);
    const error = await errorOfModel(gpu, `${to}/${name.replace(", ", "/")}`);
    const remarks = [
      ...odd.length > 0 ? [`; keys: ${odd}`] : [],
      ...same ? [] : ["; not the same when loaded again"],
    ];
    report(name, error, remarks.join(""));
  }
}
