import type { Options } from "./options.ts";

/** Options of the commands that read a corpus. */
export const corpusOptions = {
  data: {
    type: "path",
    value: "CORPUS",
    description: "corpus: a folder or a manifest (JSON lines); docs/formats.md lists the layouts",
  },
  limit: { type: "integer", description: "use the first N utterances of each subset", min: 1, max: 1e9 },
  strict: {
    type: "flag",
    description: "refuse utterances without audio, transcript or length and repeated ones; " +
      "by default a note counts them",
  },
} as const satisfies Options;
