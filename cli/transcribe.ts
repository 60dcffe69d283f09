import { escapeField } from "../files/printable.ts";
import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { EMBEDDED_COMPACT } from "./embedded.ts";
import { group } from "./options.ts";
import { halfOption, modelOption, openModel, revisionOption } from "./model_option.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";
import { noteOnWords, searchOf, searchOptions } from "./search_options.ts";

/** `transcribe`: the text of audio files. */
export const transcribeCommand = defineCommand({
  name: "transcribe",
  summary: "Transcribe audio files of any length",
  operands: "FILES…",
  options: {
    ...group("Model", {
      model: {
        ...modelOption,
        required: false,
        computed: { text: "the embedded compact model of spoken commands" },
      },
      revision: revisionOption,
      half: halfOption,
    }),
    ...searchOptions,
    ...group("Output", {
      json: {
        type: "flag",
        description: "print JSON, one object per file, with time and confidence of every word",
      },
    }),
  },
  examples: [
    ["try it, with the embedded model", "transcribe assets/samples/*.flac"],
    ["transcribe with a model from the hub", "transcribe -m facebook/wav2vec2-base-960h speech.wav"],
    ["beam search with a language model", "transcribe -m compact --lm words.arpa *.flac"],
    ["from standard input", "transcribe -m compact - < speech.wav"],
  ],
  async run({ model, revision, half, json, ...values }, files) {
    const search = await searchOf(values);
    if (model === undefined) note("the model is the embedded one of spoken commands: --model takes yours");
    const loaded = await openModel(model ?? EMBEDDED_COMPACT, { half, revision });
    try {
      await onFiles(() => Promise.try(() => loaded.requireHead("ctc")));
      noteOnWords(search, loaded);
      return await eachFile("transcribe", files, async (file, samples) => {
        const { text, words } = await loaded.transcribe(samples, search);
        if (!json) return print([file, text].map(escapeField).join("\t"));
        const seconds = rounded(samples.length / 16_000);
        const timed = words.map(({ text, start, end, confidence }) => ({
          text,
          start: rounded(start),
          end: rounded(end),
          confidence: rounded(confidence),
        }));
        print(JSON.stringify({ file, seconds, text, words: timed }));
      });
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});

/** To three decimals. */
const rounded = (n: number) => Math.round(n * 1000) / 1000;
