/**
 * Part `onnx`: a dense and a compact model here and in onnxruntime-web, on the same adapter.
 *
 * @module
 */

import { measureRuntimes, type RuntimeCost, runtimeTables } from "../runtime.ts";
import { digits } from "../statistics.ts";
import type { TitledTable } from "../record.ts";
import type { PartRequest } from "./part.ts";

/** Costs by model and runtime. */
export interface OnnxResult {
  readonly adapter: string;
  readonly model: string;
  readonly seconds: number;
  readonly costs: readonly RuntimeCost[];
}

const TINY = new URL("../../recipes/configs/tiny-base.json", import.meta.url);

/** Measures. @throws {Error} A runtime failed. */
export async function measure(
  { quick }: PartRequest,
  save: (result: OnnxResult) => Promise<void>,
): Promise<OnnxResult> {
  const seconds = quick ? 1 : 10;
  const costs = await measureRuntimes({
    ...quick && { config: TINY },
    runtimes: ["ours", "onnxruntime-web"],
    rounds: quick ? 1 : 5,
    seconds,
    progress: () => {},
  });
  const adapter = costs[0]!.device;
  const result = { adapter, model: quick ? "tiny-base" : "wav2vec2-base", seconds, costs };
  const failed = costs.find(({ error }) => error !== null);
  if (failed) {
    await save(result);
    throw new Error(`${failed.runtime}, ${failed.model}: ${failed.error}`);
  }
  return result;
}

/** Name of the adapter. */
export const adapter = (result: OnnxResult): string => result.adapter;

/** Ratio of the times by model: of onnxruntime-web to ours. */
function ratios({ costs }: OnnxResult): [model: string, ratio: number][] {
  const [dense, compact] = ["dense", "compact"].map((model) => costs.filter((cost) => cost.model === model));
  return [dense!, compact!].flatMap(([ours, web]) =>
    ours && web ? [[ours.model, web.msPerSecond / ours.msPerSecond] as [string, number]] : []
  );
}

/** The ratios in one line. */
export function summary(result: OnnxResult): string {
  return `${
    ratios(result).map(([model, ratio]) => `${model} ${digits(ratio)}`).join(", ")
  } times as fast as onnxruntime-web`;
}

/** Time, memory and difference by runtime. */
export function tables(result: OnnxResult): TitledTable[] {
  const { model, seconds, costs } = result;
  const title = `${model} with random weights and half of its MACs, ${seconds} s of audio; ${
    summary(result)
  }`;
  return runtimeTables(title, costs);
}
