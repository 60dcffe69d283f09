import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { halfOption, modelOption, openModel } from "./model_option.ts";
import { searchOf, searchOptions } from "./search_options.ts";

/** `transcribe`: the text of audio files. */
export const transcribeCommand = defineCommand({
  name: "transcribe",
  summary: "Write what is said in audio files, of any length",
  operands: "FILES…",
  options: {
    model: modelOption,
    half: halfOption,
    ...searchOptions,
    json: {
      type: "flag",
      description: "print JSON, one object a file, with time and confidence of every word",
    },
  },
  async run({ model, half, json, ...values }, files) {
    const search = await searchOf(values);
    const loaded = await openModel(model, half);
    try {
      await onFiles(() => Promise.try(() => loaded.requireHead("ctc")));
      return await eachFile("transcribe", files, async (file, samples) => {
        const { text, words } = await loaded.transcribe(samples, search);
        if (!json) return console.log(`${file}\t${text}`);
        const seconds = rounded(samples.length / 16_000);
        const timed = words.map(({ text, start, end, confidence }) => ({
          text,
          start: rounded(start),
          end: rounded(end),
          confidence: rounded(confidence),
        }));
        console.log(JSON.stringify({ file, seconds, text, words: timed }));
      });
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});

/** To three decimals. */
const rounded = (n: number) => Math.round(n * 1000) / 1000;
