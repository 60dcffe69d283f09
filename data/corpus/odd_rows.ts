// Rows of a corpus that cannot be used as they are, though their list is right: they are counted, or refused.
import { escaped, lineError } from "./lines.ts";
import type { OnError, OnNote } from "./utterance.ts";

/** What is odd, with what is done with it. */
const SENTENCES = {
  audio: "utterances without audio, skipped",
  length: "utterances of zero length, skipped",
  transcript: "utterances without a transcript, skipped",
  empty: "utterances with an empty transcript, taken as without speech",
  repeated: "recordings that are listed twice with the same label, used once",
  conflicting: "rows with the id of an earlier one and another label, skipped",
} as const;

/** What is odd about a row. */
export type Oddity = keyof typeof SENTENCES;

// Number of rows that a note names.
const NAMED = 3;

/** An odd row. Its message, "Cannot read FILE:LINE as RULE: FOUND", is for those who refuse it. */
export class OddRow extends SyntaxError {
  /** @param place Id or file of the row, and where it is listed. */
  constructor(
    readonly oddity: Oddity,
    readonly place: { readonly name: string; readonly at: string },
    rule: string,
    found: string,
  ) {
    super(lineError(place.at, rule, found).message);
    this.name = "SyntaxError";
  }
}

/** Collects odd rows for a note of each kind. */
export class OddRows {
  readonly #rows = new Map<Oddity, OddRow[]>();

  /** Receives errors: odd rows are collected, others are passed on. @param onError Receives the others. */
  collecting(onError: OnError): OnError {
    return (error) => {
      if (!(error instanceof OddRow)) return onError(error);
      const alike = this.#rows.get(error.oddity);
      if (alike) alike.push(error);
      else this.#rows.set(error.oddity, [error]);
    };
  }

  /** The first row; undefined if there is none. */
  get first(): OddRow | undefined {
    return [...this.#rows.values()][0]?.[0];
  }

  /** Gives a note for each kind: how many rows, what is done with them, and the first of them. */
  note(onNote: OnNote): void {
    for (const [oddity, rows] of this.#rows) {
      const named = rows.slice(0, NAMED).map(({ place }) =>
        place.name === place.at ? escaped(place.at) : `${escaped(place.name)} in ${escaped(place.at)}`
      );
      const more = rows.length - named.length;
      const others = more > 0 ? ` and ${more} more` : "";
      onNote(`${SENTENCES[oddity]}: ${rows.length} (${named.join(", ")}${others})`);
    }
  }
}
