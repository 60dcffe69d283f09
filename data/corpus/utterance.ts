// The types that the corpus and the readers of its layouts share.
import type { Segment } from "../audio/segment.ts";

/** Task of a corpus: speech recognition needs transcripts, spoken-language understanding needs classes. */
export type Task = "asr" | "slu";

/** Where the audio of an utterance is: a file, a part of one, or memory. */
export interface AudioPlace {
  /** Path of the file; in memory a name for messages, the same for the same audio. */
  readonly audio: string;
  /** Samples in memory, [S] at 16 kHz; not to be modified. */
  readonly samples?: Float32Array<ArrayBuffer>;
  /** Part of an audio file; default the whole file. */
  readonly segment?: Segment;
  /** Row of a Parquet file, which holds an audio file in each. */
  readonly row?: number;
}

/** An utterance of a corpus with its labels. */
export interface Utterance extends AudioPlace {
  /** Id, unique among the subsets that are opened together. */
  readonly id: string;
  /** Transcript as the corpus writes it; always present for `asr`. */
  readonly text?: string;
  /** Class; always present for `slu`. */
  readonly intent?: string;
  /** Speaker. */
  readonly speaker?: string;
  /** Duration, if the corpus states it. */
  readonly seconds?: number;
}

/** One word for a place, the same for the same audio: the path, `path@offset+seconds`, or `path#row`. */
export function placeName({ audio, segment, row }: AudioPlace): string {
  if (row !== undefined) return `${audio}#${row}`;
  return segment === undefined ? audio : `${audio}@${segment.offset}+${segment.seconds ?? ""}`;
}

/**
 * Receives an error in a corpus. If it does not throw, reading continues without the line or file. An error that is an
 * `OddRow` concerns one utterance of a list that is otherwise right.
 */
export type OnError = (error: Error) => void;

/** Receives a note on a corpus: one line. */
export type OnNote = (note: string) => void;

/** How a subset is read. */
export interface ReadOptions {
  /** The label of this task must be there. */
  readonly task: Task;
  /** Number of utterances that are used at most; a reader may read more. */
  readonly limit: number;
  /** Receives errors, odd rows among them. */
  readonly onError: OnError;
}

/** Reader of a corpus layout. */
export interface Layout {
  /** Name of the layout for errors. */
  readonly layoutName: string;
  /** Paths of the subsets by name; empty if the folder has another layout. */
  findSubsets(dir: string): Promise<ReadonlyMap<string, string>>;
  /** Reads a subset from its path. */
  readSubset(dir: string, path: string, options: ReadOptions): Promise<Utterance[]>;
}
