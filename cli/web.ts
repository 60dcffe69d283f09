import { defineCommand } from "./command.ts";
import { onFiles } from "./files.ts";
import { group } from "./options.ts";
import { EMBEDDED_COMPACT, EMBEDDED_DENSE } from "./embedded.ts";
import { requireNewFolder } from "./output_folder.ts";
import { print } from "./print.ts";
import { log } from "./stderr.ts";
import { UserError } from "./user_error.ts";
import { buildSite } from "./web_site.ts";
import { serveSite, writeSite } from "./web_serve.ts";

/** `web`: a page that shows a dense and a compact model side by side. */
export const webCommand = defineCommand({
  name: "web",
  summary: "Serve a page that transcribes with a dense and a compact model",
  access: ["files", "hub", "loopback"],
  options: {
    ...group("Models", {
      dense: {
        type: "string",
        value: "MODEL",
        description: "model folder, or a name on the hub",
        computed: { text: "the embedded model of spoken commands" },
      },
      compact: {
        type: "string",
        value: "MODEL",
        description: "the same model, pruned",
        computed: { text: "the embedded compact model, or none with --dense" },
      },
    }),
    ...group("Output", {
      port: {
        type: "integer",
        description: "port on 127.0.0.1; 0: any that is free",
        default: 8000,
        min: 0,
        max: 65_535,
      },
      out: {
        type: "path",
        short: "o",
        value: "DIR",
        description: "write the page for a static web server into a new or empty folder, and serve nothing",
      },
    }),
  },
  examples: [
    ["the embedded model, before and after", "web"],
    ["your models, for any static web server", "web --dense model --compact compact --out web/dist"],
  ],
  async run({ dense, compact, port, out }) {
    if (!import.meta.url.startsWith("file:")) {
      throw new UserError(
        "web needs a copy of the program on disk: its page is bundled from the program's files",
      );
    }
    const models = [{ title: "Dense", model: dense ?? EMBEDDED_DENSE }];
    const second = compact ?? (dense === undefined ? EMBEDDED_COMPACT : undefined);
    if (second !== undefined) models.push({ title: "Compact", model: second });
    return await onFiles(async () => {
      if (out !== undefined) await requireNewFolder("write the page", out);
      const files = await buildSite(models);
      if (out !== undefined) {
        await writeSite(files, out);
        print(`${out}: ${files.size} files, ${(totalBytes(files) / 1e6).toFixed(1)} MB`);
        return 0;
      }
      await serveSite(files, {
        port,
        onListen(address) {
          print(address);
          log("Open it in a browser with WebGPU. Ctrl-C ends it.");
        },
      });
      return 0;
    });
  },
});

function totalBytes(files: ReadonlyMap<string, { readonly size: number }>): number {
  return [...files.values()].reduce((sum, { size }) => sum + size, 0);
}
