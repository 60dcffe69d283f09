import { type CorpusSource, isOnDisk, partOf, utterancesFrom } from "../data/corpus/load_corpus.ts";
import { outOfVocabulary } from "../data/corpus/out_of_vocabulary.ts";
import type { Utterance } from "../data/corpus/utterance.ts";
import { normalizeText } from "../data/corpus/vocabulary.ts";
import { evaluateUtterances, type Evaluation, type EvaluationOptions } from "../model/inference/evaluate.ts";
import type { LoadedModel } from "../model/inference/loaded_model.ts";
import { requireReferences } from "./corpus_feed.ts";
import { transcriptTargets } from "./corpus_source.ts";
import { readUtterances } from "./labelled_utterances.ts";

/** Options of {@linkcode evaluate}. */
export interface EvaluateOptions<State> extends EvaluationOptions<State> {
  /** Called with notes on the corpus, a sentence each. */
  readonly onNote?: (note: string) => void;
}

/**
 * Evaluates a model: word and character error rate, or accuracy, with 95 % confidence intervals.
 *
 * @param model Model with a CTC or a classification head.
 * @param data Utterances with their references; of a corpus on disk the subset `test` unless another is named.
 * @param options Decoding, text normalisation, and a callback per hypothesis. By default, texts are compared in upper case and
 * without punctuation, phonemes as they are.
 * @throws {TypeError} If the model has no head, or an utterance lacks the reference that the head needs.
 * @throws {RangeError} If there are no utterances, or one is shorter than a frame.
 * @throws {Error} If a file of the corpus cannot be read; one line.
 * @example
 * ```ts ignore
 * import { evaluate, loadModel } from "../mod.ts";
 *
 * using model = await loadModel("compact");
 * const { wer } = await evaluate(model, { path: "LibriSpeech", subset: "test-clean" });
 * console.log(wer?.value, wer?.low, wer?.high);
 * ```
 */
export async function evaluate<State>(
  model: LoadedModel,
  data: CorpusSource,
  options: EvaluateOptions<State> = {},
): Promise<Evaluation> {
  const { onNote = () => {}, ...search } = options;
  const { tokenizer, model: { head } } = model;
  const task = head === "classify" ? "slu" : "asr";
  model.requireHead(task === "slu" ? "classify" : "ctc");
  const subset = isOnDisk(data) ? partOf(data).subset ?? "test" : "test";
  const utterances = await utterancesFrom(data, task, { subset, onNote });
  if (tokenizer) requireReferences(subset, utterances, transcriptTargets(tokenizer));
  for (const text of notesOn(model, utterances)) onNote(text);
  const normalize = (text: string) => tokenizer?.phonemes ? text : normalizeText(text);
  return await evaluateUtterances(model, readUtterances(utterances), { normalize, ...search });
}

/** Notes on characters or classes of the corpus that the model does not have. */
function notesOn({ model, tokenizer }: LoadedModel, utterances: readonly Utterance[]): string[] {
  if (tokenizer) return outOfVocabulary(tokenizer, utterances);
  const known = new Set(model.config.id2label);
  const others = new Set(utterances.map(({ intent = "" }) => intent).filter((intent) => !known.has(intent)));
  if (others.size === 0) return [];
  return [`the model lacks ${others.size} classes of the corpus, such as ${[...others][0]}`];
}
