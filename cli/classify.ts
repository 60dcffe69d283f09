import { escapeField } from "../files/printable.ts";
import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { group } from "./options.ts";
import { halfOption, modelOption, openModel, revisionOption } from "./model_option.ts";
import { print } from "./print.ts";

/** `classify`: the class of audio files. */
export const classifyCommand = defineCommand({
  name: "classify",
  summary: "Classify audio files, such as the intent of a spoken command",
  operands: "FILES…",
  options: {
    ...group("Model", { model: modelOption, revision: revisionOption, half: halfOption }),
    ...group("Output", {
      top: { type: "integer", description: "classes to print per file", default: 1, min: 1, max: 1000 },
      json: { type: "flag", description: "print JSON, one object per file" },
    }),
  },
  examples: [[
    "the three most probable classes",
    "classify -m assets/commands-tiny/intents --top 3 command.wav",
  ]],
  async run({ model, revision, half, top, json }, files) {
    const loaded = await openModel(model, { half, revision });
    try {
      await onFiles(() => Promise.try(() => loaded.requireHead("classify")));
      return await eachFile("classify", files, async (file, samples) => {
        const classes = (await loaded.classify(samples)).slice(0, top);
        const shown = classes.map(({ label, probability }) => `${label} ${probability.toFixed(3)}`);
        print(json ? JSON.stringify({ file, classes }) : [file, ...shown].map(escapeField).join("\t"));
      }, { maxSeconds: 120 });
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});
