import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { halfOption, modelOption, openModel } from "./model_option.ts";

/** `classify`: the class of audio files. */
export const classifyCommand = defineCommand({
  name: "classify",
  summary: "Name the class of audio files, such as what a spoken command wants",
  operands: "FILES…",
  options: {
    model: modelOption,
    half: halfOption,
    top: { type: "integer", description: "classes to show of each file", default: 1, min: 1, max: 1000 },
    json: { type: "flag", description: "print JSON, one object a file" },
  },
  async run({ model, half, top, json }, files) {
    const loaded = await openModel(model, half);
    try {
      await onFiles(() => Promise.try(() => loaded.requireHead("classify")));
      return await eachFile("classify", files, async (file, samples) => {
        const classes = (await loaded.classify(samples)).slice(0, top);
        const shown = classes.map(({ label, probability }) => `${label} ${probability.toFixed(3)}`);
        console.log(json ? JSON.stringify({ file, classes }) : [file, ...shown].join("\t"));
      }, { maxSeconds: 120 });
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});
