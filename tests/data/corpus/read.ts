// Reads a corpus for tests, with all that it reports.
import { openCorpus } from "../../../data/corpus/corpus.ts";
import type { Task, Utterance } from "../../../data/corpus/utterance.ts";
import { tokenizerOf } from "../../../data/corpus/vocabulary.ts";

/** What opening a corpus gives. */
export interface Opened {
  readonly utterances: readonly Utterance[];
  readonly notes: readonly string[];
  readonly errors: readonly string[];
}

/** Opens subsets; messages have `DIR` for the folder. An error that ends it is the last of the errors. */
export async function openAll(
  dir: string,
  subset: string,
  options: { readonly task?: Task; readonly strict?: boolean; readonly limit?: number } = {},
): Promise<Opened> {
  const notes: string[] = [];
  const errors: string[] = [];
  const short = (text: string) => text.replaceAll(dir, "DIR");
  const utterances = await openCorpus(dir, subset, {
    task: "asr",
    ...options,
    onError: ({ message }) => void errors.push(short(message)),
    onNote: (note) => void notes.push(short(note)),
  }).catch(({ message }) => {
    errors.push(short(message));
    return [];
  });
  return { utterances, notes, errors };
}

/** A vocabulary of the Latin letters. */
export const tokenizer = tokenizerOf(["ABCDEFGHIJKLMNOPQRSTUVWXYZÉ"]);
