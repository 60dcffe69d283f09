/**
 * Part `inference`: wav2vec2-base and a compact model with half of its MACs, in f32 and f16, one utterance and sixteen, beside
 * PyTorch.
 *
 * @module
 */

import { openGpu } from "../../cli/backend.ts";
import { type ModelConfig, parseConfig } from "../../model/config.ts";
import { randomCheckpoint } from "../../model/random.ts";
import { SpeechModel } from "../../model/speech_model.ts";
import { noGrad } from "../../tensor/tape.ts";
import { BASE, compactAt } from "../compact_cases.ts";
import { uniform } from "../inputs.ts";
import { digits, median } from "../statistics.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";
import { runTorch, torchConfig, type TorchDevice, type TorchResult } from "./torch.ts";

/** Time of a model. */
export interface InferenceCost {
  readonly model: string;
  readonly dtype: "f32" | "f16";
  readonly utterances: number;
  /** Milliseconds of each run, from samples on the host to logits on the host. */
  readonly ms: readonly number[];
}

/** Times here and in PyTorch. */
export interface InferenceResult {
  readonly adapter: string;
  readonly model: string;
  /** Seconds of an utterance. */
  readonly seconds: number;
  /** MACs of the compact model as a share of the dense one's. */
  readonly macs: number;
  readonly own: readonly InferenceCost[];
  readonly torch: TorchResult<TorchDevice & { readonly costs: readonly InferenceCost[] }>;
}

const TINY = new URL("../../recipes/configs/tiny-base.json", import.meta.url);
const WARM = 2;

async function timeModel(model: SpeechModel, utterances: number, samples: number, rounds: number) {
  const { gpu } = model;
  const audio = uniform(utterances * samples, 1);
  const ms: number[] = [];
  for (let i = 0; i < WARM + rounds; i++) {
    const start = performance.now();
    const { read } = gpu.scope(() =>
      noGrad(gpu, () => {
        const { logits } = model.forward({ samples: gpu.tensor(audio, [utterances, samples]) });
        return { read: logits!.read() };
      })
    );
    await read;
    if (i >= WARM) ms.push(performance.now() - start);
  }
  return ms;
}

/** Measures. */
export async function measure(
  { quick }: PartRequest,
  save: (result: InferenceResult) => Promise<void>,
): Promise<InferenceResult> {
  const base = JSON.parse(await Deno.readTextFile(quick ? TINY : BASE)) as Record<string, unknown>;
  const { config: compact, macs } = compactAt(base, 0.5, 8);
  const models: Record<string, ModelConfig> = { dense: parseConfig(JSON.stringify(base)), compact };
  const [seconds, rounds, batches] = quick ? [1, 2, [1, 2]] : [10, 7, [1, 16]];
  const samples = seconds * 16_000;
  const gpu = await openGpu();
  const own: InferenceCost[] = [];
  const origin = { adapter: gpu.name, model: quick ? "tiny-base" : "wav2vec2-base", seconds, macs };
  let torch: InferenceResult["torch"] = { result: null, missing: "not measured yet" };
  const result = (): InferenceResult => ({ ...origin, own, torch });
  for (const [name, config] of Object.entries(models)) {
    const checkpoint = randomCheckpoint(config, 0, "ctc");
    for (const dtype of ["f32", "f16"] as const) {
      if (dtype === "f16" && !gpu.half) continue;
      using model = new SpeechModel(gpu, checkpoint, dtype === "f16");
      for (const utterances of batches) {
        own.push({ model: name, dtype, utterances, ms: await timeModel(model, utterances, samples, rounds) });
        await save(result());
      }
    }
  }
  gpu.destroy();
  const configs = Object.fromEntries(
    Object.entries(models).map(([name, config]) => [name, torchConfig(config)]),
  );
  torch = await runTorch("torch_inference.py", { models: configs, batches, samples, rounds }, quick);
  return result();
}

/** Name of the adapter. */
export const adapter = (result: InferenceResult): string => result.adapter;

const isSame = (a: InferenceCost) => (b: InferenceCost) =>
  a.model === b.model && a.dtype === b.dtype && a.utterances === b.utterances;

/** Milliseconds for a second of audio. */
const rate = ({ ms, utterances }: InferenceCost, seconds: number) => median(ms) / (utterances * seconds);

/** Times for a second of audio in one line. */
export function summary({ own, seconds, torch }: InferenceResult): string {
  const times = own.filter(({ dtype }) => dtype === "f32").map((cost) =>
    `${cost.model} × ${cost.utterances} ${digits(rate(cost, seconds))}`
  );
  const missing = torch.missing === null ? "" : `; PyTorch: ${torch.missing}`;
  return `ms a second of audio: ${times.join(", ")}${missing}`;
}

/** Times by model, type and batch. */
export function tables({ model, seconds, macs, own, torch }: InferenceResult): TitledTable[] {
  const peer = torch.result
    ? `PyTorch ${torch.result.torch}, ${torch.result.device}`
    : `PyTorch: ${torch.missing}`;
  return [{
    title:
      `${model} with random weights and ${(100 * macs).toFixed(0)} % of its MACs, ${seconds} s of audio an ` +
      `utterance, ms for a second of audio; ${peer}`,
    left: [0, 1],
    head: ["model", "type", "utterances", "Espalier", ...torch.result ? ["PyTorch", "ratio"] : []],
    rows: own.map((cost) => {
      const other = torch.result?.costs.find(isSame(cost));
      const beside = other
        ? [digits(rate(other, seconds)), digits(median(other.ms) / median(cost.ms))]
        : torch.result
        ? ["", ""]
        : [];
      return [cost.model, cost.dtype, String(cost.utterances), digits(rate(cost, seconds)), ...beside];
    }),
  }];
}
