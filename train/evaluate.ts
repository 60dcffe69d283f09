import { greedyDecode } from "../model/decode/greedy.ts";
import {
  accuracy,
  type BootstrapOptions,
  characterEdits,
  type EditCounts,
  type ErrorRate,
  errorRate,
  type Interval,
  wordEdits,
} from "../model/inference/error_rate.ts";
import type { Gates } from "../model/gates.ts";
import type { SpeechModel } from "../model/speech_model.ts";
import type { CtcTokenizer } from "../model/decode/tokenizer.ts";
import { noGrad } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { MicroBatch } from "./micro_batch.ts";
import { forwardBatch, taskLoss } from "./task_loss.ts";

/** Options of {@linkcode evaluateBatches}. */
export interface EvaluateBatchesOptions extends BootstrapOptions {
  /** Decodes tokens; required with a CTC head. */
  readonly tokenizer?: CtcTokenizer | null;
  /** Gates of the units; default: all open. */
  readonly gates?: Gates | null;
}

/** Scores of a model on batches of utterances. */
export interface BatchScores {
  /** Task loss as in training: the mean over the utterances, each divided by its number of tokens with a CTC head. */
  readonly loss: number;
  /** Word error rate; null for a classification model. */
  readonly wer: ErrorRate | null;
  /** Character error rate; null for a classification model. */
  readonly cer: ErrorRate | null;
  /** Share of utterances whose most probable class is right; null for a CTC model. */
  readonly accuracy: Interval | null;
}

/**
 * Evaluates a model on padded batches with greedy decoding, fast enough to run during training. `evaluate` in
 * `model/inference` gives the scores of utterances one by one, which differ for models without an attention mask.
 *
 * @param model Model with a CTC or classification head.
 * @param batches At least one batch.
 * @throws {TypeError} If the model has no head, or it has a CTC head and there is no tokenizer.
 * @throws {RangeError} If there is no batch, or a logit is NaN.
 */
export async function evaluateBatches(
  model: SpeechModel,
  batches: AsyncIterable<MicroBatch> | Iterable<MicroBatch>,
  options: EvaluateBatchesOptions = {},
): Promise<BatchScores> {
  const { tokenizer = null, gates = null, ...bootstrap } = options;
  if (model.head === "ctc" && !tokenizer) {
    throw new TypeError("Cannot evaluate as a CTC model needs a tokenizer: none is given");
  }
  const { gpu } = model;
  const words: EditCounts[] = [];
  const characters: EditCounts[] = [];
  const hits: boolean[] = [];
  let [utterances, lossSum] = [0, 0];

  const finish = async ({ batch, logits, losses, frames }: Running) => {
    const [scores, all] = await Promise.all([logits, losses]);
    // As in training, per token.
    all.forEach((loss, i) => lossSum += loss / Math.max(1, batch.targets[i]!.length));
    utterances += batch.lengths.length;
    const row = scores.length / batch.lengths.length;
    batch.references.forEach((reference, i) => {
      const logits = scores.subarray(i * row, (i + 1) * row);
      if (model.head === "classify") {
        const best = logits.indexOf(Math.max(...logits));
        hits.push(best === batch.targets[i]![0]);
        return;
      }
      const length = frames[i]! * model.config.vocab_size;
      const { text } = greedyDecode(logits.subarray(0, length), frames[i]!, tokenizer!);
      words.push(wordEdits(reference, text));
      characters.push(characterEdits(reference, text));
    });
  };
  // The device computes one batch while the host decodes the previous one.
  let running: Running | null = null;
  for await (const batch of batches) {
    const next = start(model, batch, gates);
    if (running) await finish(running);
    running = next;
  }
  if (running) await finish(running);
  if (utterances === 0) throw new RangeError("Cannot evaluate without utterances");
  gpu.flush();
  return {
    loss: lossSum / utterances,
    wer: words.length > 0 ? errorRate(words, bootstrap) : null,
    cer: words.length > 0 ? errorRate(characters, bootstrap) : null,
    accuracy: hits.length > 0 ? accuracy(hits, bootstrap) : null,
  };
}

/** A batch on the device. */
interface Running {
  readonly batch: MicroBatch;
  readonly logits: Promise<Float32Array>;
  readonly losses: Promise<Float32Array>;
  readonly frames: readonly number[];
}

function start(model: SpeechModel, batch: MicroBatch, gates: Gates | null): Running {
  const read = (tensor: Tensor) => {
    const data = tensor.read() as Promise<Float32Array>;
    data.catch(() => {}); // thrown where it is awaited
    return data;
  };
  return model.gpu.scope(() =>
    noGrad(model.gpu, () => {
      const output = forwardBatch(model, batch, { gates });
      const losses = read(taskLoss(model, output, batch.targets, "none"));
      return { batch, logits: read(output.logits), losses, frames: output.frames };
    })
  );
}
