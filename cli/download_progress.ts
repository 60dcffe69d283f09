// @ts-types="npm:@types/cli-progress@3.11.6"
import cliProgress from "npm:cli-progress@3.12.0";
import { escapeField } from "../files/printable.ts";
import type { HubProgress } from "../model/hub/fetch_model.ts";
import { isQuiet, log } from "./stderr.ts";

/** Progress of downloads on standard error: a bar on a terminal, else a line per file. */
export class DownloadProgress {
  #bar: cliProgress.SingleBar | null = null;
  #file = "";

  /** Takes the progress of a file. */
  readonly update = ({ file, received, size }: HubProgress): void => {
    if (isQuiet()) return;
    if (file !== this.#file) {
      this.end();
      this.#file = file;
      if (Deno.stderr.isTerminal()) this.#bar = this.#start(file, size);
      else log(`downloading ${file}${size === null ? "" : `, ${megabytes(size)} MB`}`);
    }
    this.#bar?.update(received, { shown: megabytes(received) });
  };

  /** Ends the last bar. */
  end(): void {
    this.#bar?.stop();
    this.#bar = null;
  }

  #start(file: string, size: number | null): cliProgress.SingleBar {
    const bar = new cliProgress.SingleBar({
      format: `${escapeField(file)} {bar} {percentage} %  {shown} MB  {eta_formatted} left`,
      hideCursor: true,
    }, cliProgress.Presets.shades_classic);
    bar.start(size ?? 0, 0, { shown: "0.0" });
    return bar;
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
