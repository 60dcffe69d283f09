import { type ArpaState, loadArpa } from "../model/arpa.ts";
import type { BeamOptions } from "../model/beam_search.ts";
import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { modelOption, openModel } from "./model_option.ts";

/** `transcribe`: the text of audio files. */
export const transcribeCommand = defineCommand({
  name: "transcribe",
  summary: "Write what is said in audio files, of any length",
  operands: "FILES…",
  options: {
    model: modelOption,
    beam: {
      type: "integer",
      description: "texts that the search keeps at a time; 1 takes the best letter of every frame",
      default: 1,
      min: 1,
      max: 1000,
    },
    lm: {
      type: "path",
      description: "n-gram language model in ARPA format for the search (beam 100 unless given)",
    },
    "lm-weight": { type: "number", description: "weight of the language model", default: 0.5, min: 0 },
    "word-bonus": { type: "number", description: "bonus of each word with a language model", default: 1 },
    window: {
      type: "number",
      description: "seconds of audio that the model sees at a time",
      default: 15,
      min: 4,
      max: 120,
    },
    json: {
      type: "flag",
      description: "print JSON, one object a file, with time and confidence of every word",
    },
  },
  async run({ model, beam, lm, "lm-weight": alpha, "word-bonus": beta, window, json }, files) {
    const languageModel = lm === undefined ? null : await onFiles(() => loadArpa(lm));
    const search: BeamOptions<ArpaState> | null = languageModel
      ? { width: beam === 1 ? 100 : beam, languageModel, alpha, beta }
      : beam > 1
      ? { width: beam }
      : null;
    const loaded = await openModel(model);
    try {
      await onFiles(() => Promise.try(() => loaded.requireHead("ctc")));
      return await eachFile("transcribe", files, async (file, samples) => {
        const { text, words } = await loaded.transcribe(samples, {
          windowSeconds: window,
          ...(search && { beam: search }),
        });
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
