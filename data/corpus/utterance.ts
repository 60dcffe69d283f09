// The types that the corpus and the readers of its layouts share.

/** Task of a corpus: speech recognition needs transcripts, spoken-language understanding needs classes. */
export type Task = "asr" | "slu";

/** An utterance of a corpus with its labels. */
export interface Utterance {
  /** Id, unique among the subsets that are opened together. */
  readonly id: string;
  /** Path of the audio file. */
  readonly audio: string;
  /** Transcript as the corpus writes it; always present for `asr`. */
  readonly text?: string;
  /** Class; always present for `slu`. */
  readonly intent?: string;
  /** Speaker. */
  readonly speaker?: string;
  /** Duration, if the corpus states it. */
  readonly seconds?: number;
}

/** Receives an error in a corpus. If it does not throw, reading continues without the line or file. */
export type OnError = (error: Error) => void;

/** Receives a note on a corpus: one line. */
export type OnNote = (note: string) => void;

/** Reader of a corpus layout. */
export interface Layout {
  /** Name of the layout for errors. */
  readonly layoutName: string;
  /** Paths of the subsets by name; empty if the folder has another layout. */
  findSubsets(dir: string): Promise<ReadonlyMap<string, string>>;
  /** Reads a subset from its path. */
  readSubset(
    dir: string,
    path: string,
    task: Task,
    onError: OnError,
    onNote: OnNote,
  ): Promise<Utterance[]>;
}
