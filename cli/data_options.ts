import { corpusOptions } from "./corpus_options.ts";
import { langOption } from "./model_option.ts";
import { group, MOST_UTTERANCES, type Options, type Values } from "./options.ts";

/** Options of `data`. */
export const dataOptions = {
  ...group("Output", {
    out: {
      type: "path",
      short: "o",
      value: "DIR",
      description: "folder to write; required for asterisk and random-model",
      computed: { text: "a folder in the cache, for commands" },
    },
    seed: {
      type: "integer",
      description: "random seed of sentences, split or weights",
      default: 0,
      min: 0,
      max: 2 ** 32 - 1,
    },
    format: {
      type: "string",
      description: "audio format of commands and asterisk",
      choices: ["wav", "flac"],
      default: "wav",
    },
    json: { type: "flag", description: "print JSON; not for random-model" },
  }),
  ...group("Spoken commands (data commands)", {
    train: {
      type: "integer",
      description: "training sentences",
      default: 3000,
      min: 1,
      max: MOST_UTTERANCES,
    },
    dev: { type: "integer", description: "dev sentences", default: 200, min: 0, max: MOST_UTTERANCES },
    test: {
      type: "integer",
      description: "test sentences, each by two voices",
      default: 300,
      min: 0,
      max: MOST_UTTERANCES,
    },
  }),
  ...group("Random model (data random-model)", {
    config: {
      type: "path",
      value: "FILE",
      description: "config.json, such as one of recipes/configs/; required",
    },
    head: {
      type: "string",
      description: "head after the Transformer",
      choices: ["ctc", "classify", "none"],
      computed: { text: "by the config" },
    },
  }),
  ...group("Check of a corpus (data check)", {
    task: {
      type: "string",
      description: "task that the corpus is for",
      choices: ["asr", "slu"],
      computed: { text: "by its lists" },
    },
    vocab: {
      type: "string",
      value: "MODEL",
      description: "vocabulary to check the transcripts against: vocab.json, or a model as in prune --model",
      computed: { text: "the characters of the training transcripts" },
    },
    lang: {
      ...langOption,
      description: "language of a multilingual vocabulary (MMS), such as fra",
      computed: { text: "that of the tokenizer" },
    },
    limit: corpusOptions.limit,
    strict: corpusOptions.strict,
  }),
} as const satisfies Options;

/** The values of the options of `data`. */
export type DataValues = Values<typeof dataOptions>;
