import type { PruneSources, RunSources } from "../train/run_corpus.ts";
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

/** The options that choose the utterances of a run. */
interface ChosenUtterances {
  readonly subset: string;
  readonly "dev-subset": string | undefined;
  readonly limit: number | undefined;
  readonly strict: boolean;
}

/** The utterances of a training, by its options. @param path the corpus */
export function trainSources(
  path: string,
  { subset, "dev-subset": dev, limit, strict }: ChosenUtterances,
): RunSources {
  const part = (subset: string) => ({ path, subset, limit, strict });
  return { train: part(subset), dev: dev === "none" ? null : dev === undefined ? undefined : part(dev) };
}

/** The utterances of a pruning run, by its options. @param path the corpus */
export function pruneSources(
  path: string,
  values: ChosenUtterances & { readonly "test-subset": string | undefined },
): PruneSources {
  const { "test-subset": subset, limit, strict } = values;
  return {
    ...trainSources(path, values),
    test: subset === undefined ? undefined : { path, subset, limit, strict },
  };
}
