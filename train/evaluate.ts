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
  /** Turns tokens into text; needed with a CTC head. */
  readonly tokenizer?: CtcTokenizer | null;
  /** Gates of the units; all open unless given. */
  readonly gates?: Gates | null;
  /** Is told what was heard in each clip: a text, or a class. */
  readonly onClip?: (reference: string, heard: string) => void;
}

/** What a model does on batches of clips. */
export interface BatchScores {
  /** Clips. */
  readonly clips: number;
  /** Seconds of audio. */
  readonly seconds: number;
  /** Task loss, the mean over the clips as in training: of each clip per token with a CTC head. */
  readonly loss: number;
  /** Word error rate; null for a classification model. */
  readonly wer: ErrorRate | null;
  /** Character error rate; null for a classification model. */
  readonly cer: ErrorRate | null;
  /** Share of clips whose class was found; null for a CTC model. */
  readonly accuracy: Interval | null;
}

/**
 * Runs a model on batches, taking the best token of every frame or the best class: fast enough for the middle of a
 * training. With {@linkcode evaluate} each clip is heard as if it were alone instead, where that matters.
 *
 * @param model With a CTC or a classification head.
 * @param batches At least one.
 * @throws {TypeError} If the model has no head, or a CTC head and there is no tokenizer.
 * @throws {RangeError} If there is no batch, or a logit is not a number.
 */
export async function evaluateBatches(
  model: SpeechModel,
  batches: AsyncIterable<MicroBatch> | Iterable<MicroBatch>,
  options: EvaluateBatchesOptions = {},
): Promise<BatchScores> {
  const { tokenizer = null, gates = null, onClip, ...bootstrap } = options;
  if (model.head === "ctc" && !tokenizer) {
    throw new TypeError("Cannot evaluate as a CTC model needs a tokenizer: none is given");
  }
  const { gpu } = model;
  const words: EditCounts[] = [];
  const characters: EditCounts[] = [];
  const hits: boolean[] = [];
  let [clips, seconds, lost] = [0, 0, 0];

  const finish = async ({ batch, logits, losses, frames }: Running) => {
    const [scores, all] = await Promise.all([logits, losses]);
    // As in training, per token.
    all.forEach((loss, i) => lost += loss / Math.max(1, batch.targets[i]!.length));
    clips += batch.lengths.length;
    seconds += batch.seconds;
    const row = scores.length / batch.lengths.length;
    batch.references.forEach((reference, i) => {
      const own = scores.subarray(i * row, (i + 1) * row);
      if (model.head === "classify") {
        const best = own.indexOf(Math.max(...own));
        hits.push(best === batch.targets[i]![0]);
        return onClip?.(reference, model.config.id2label[best] ?? "");
      }
      const length = frames[i]! * model.config.vocab_size;
      const { text } = greedyDecode(own.subarray(0, length), frames[i]!, tokenizer!);
      words.push(wordEdits(reference, text));
      characters.push(characterEdits(reference, text));
      onClip?.(reference, text);
    });
  };
  // The device works on one batch while the host decodes the one before.
  let running: Running | null = null;
  for await (const batch of batches) {
    const next = start(model, batch, gates);
    if (running) await finish(running);
    running = next;
  }
  if (running) await finish(running);
  if (clips === 0) throw new RangeError("Cannot evaluate as there must be clips: there is none");
  gpu.flush();
  return {
    clips,
    seconds,
    loss: lost / clips,
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
