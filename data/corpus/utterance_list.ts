// Collects the utterances of a subset, each id once.
import { OddRow } from "./odd_rows.ts";
import { type OnError, placeName, type Task, type Utterance } from "./utterance.ts";

/** The utterances of a subset in order. */
export class UtteranceList {
  readonly #label: "intent" | "text";
  readonly #onError: OnError;
  readonly #places = new Map<string, { readonly at: string; readonly utterance: Utterance }>();

  /** @param task Which label repeated rows are compared by. @param onError Receives repeated rows, as odd. */
  constructor(task: Task, onError: OnError) {
    this.#label = task === "slu" ? "intent" : "text";
    this.#onError = onError;
  }

  /** Adds an utterance unless its id is there already. @param at Where it is listed: `path:12`. */
  add(utterance: Utterance, at: string): void {
    const { id } = utterance;
    const before = this.#places.get(id);
    if (before === undefined) return void this.#places.set(id, { at, utterance });
    const isSame = placeName(before.utterance) === placeName(utterance) &&
      before.utterance[this.#label] === utterance[this.#label];
    const oddity = isSame ? "repeated" : "conflicting";
    const found = `${id} is already in ${before.at}`;
    this.#onError(new OddRow(oddity, { name: id, at }, "ids must be unique", found));
  }

  /** Number of utterances. */
  get size(): number {
    return this.#places.size;
  }

  /** All utterances that were added. */
  get all(): Utterance[] {
    return [...this.#places.values()].map(({ utterance }) => utterance);
  }
}
