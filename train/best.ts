import type { Checkpoint, Weight } from "../model/checkpoint/read.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { readTogether } from "../tensor/read_together.ts";
import type { BatchScores } from "./evaluate.ts";

/** An evaluation by what decides which one is best. */
export interface Score {
  /** Steps done. */
  readonly step: number;
  /** What decides, the first that differs; less is better: errors, and where they are equal the loss. */
  readonly order: readonly number[];
}

/** What decides of an evaluation: word, then character errors, or missed classes; then the loss. */
export function scoreOf(step: number, { wer, cer, accuracy, loss }: BatchScores): Score {
  const errors = accuracy ? [1 - accuracy.value] : [wer!.value, cer!.value];
  return { step, order: [...errors, loss] };
}

/** Whether an evaluation is better than the best one so far. */
export function isBetter(score: Score, best: Score | null): boolean {
  if (!best) return true;
  const at = score.order.findIndex((value, i) => value !== best.order[i]);
  return at >= 0 && score.order[at]! < best.order[at]!;
}

/**
 * A model's weights back on the host, as published, in the layout of the files it came from.
 *
 * @param model On the device.
 * @param from What it was made of.
 */
export async function readModel(model: SpeechModel, from: Checkpoint): Promise<Checkpoint> {
  const { weights } = model;
  const tensors = new Map<string, Weight>();
  const names = [...from.tensors.keys()];
  const bytesOf = (name: string) => weights.get(name).size * 4;
  const read = readTogether(names, bytesOf, async (name) => ({ name, ...await weights.read(name) }));
  for await (const { name, shape, data } of read) tensors.set(name, { shape, data: data as Weight["data"] });
  return { ...from, tensors };
}
