import type { Checkpoint, Weight } from "../model/checkpoint/read.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import { readTogether } from "../tensor/read_together.ts";
import type { BatchScores } from "./evaluate.ts";

/** Score of an evaluation, to be compared with others of the run. */
export interface Score {
  /** Steps done. */
  readonly step: number;
  /** Values in order of importance, lower is better: error rates, then the loss. The first that differs decides. */
  readonly order: readonly number[];
}

/** Score of an evaluation: word and character error rate, or 1 − accuracy; then the loss. */
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
 * Reads the weights of a model back to the host, in the published layout.
 *
 * @param model Model on the device.
 * @param from Checkpoint that it was made of.
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
