import { escapeControls, escapeField } from "../files/printable.ts";
import type { LoadedModel } from "../model/inference/loaded_model.ts";
import type { StreamOptions, StreamUpdate } from "../model/inference/stream.ts";
import { onFiles } from "./files.ts";
import { print, unlessClosed } from "./print.ts";
import { isQuiet } from "./stderr.ts";
import { samplesOf } from "./stream_input.ts";
import { jsonWords } from "./transcript_formats.ts";

/**
 * Transcribes standard input while it comes: words once they are final, a line each time; what precedes them stands on the
 * terminal.
 *
 * @param model the model, with a CTC head
 * @param input the bytes of standard input
 * @param json whether to print every update as JSON
 * @throws {UserError} the audio is of another kind; one line
 */
export async function transcribeStream(
  model: LoadedModel,
  input: AsyncIterable<Uint8Array>,
  json: boolean,
  options: StreamOptions,
): Promise<void> {
  const isShown = !json && !isQuiet() && Deno.stderr.isTerminal();
  await onFiles(async () => {
    for await (const update of model.stream(samplesOf(input), options)) {
      if (isShown) clearLine();
      if (json) print(jsonOf(update));
      else if (update.text !== "") print(escapeField(update.text));
      if (isShown) showPartial(update.partial);
    }
  });
}

function jsonOf({ seconds, text, partial, words }: StreamUpdate): string {
  return JSON.stringify({ seconds, text, partial, words: jsonWords(words) });
}

const onTerminal = (text: string) =>
  unlessClosed(() => Deno.stderr.writeSync(new TextEncoder().encode(text)));

const clearLine = () => onTerminal("\r\x1b[K");

/** Prints the end of a partial text that fits into a line. */
function showPartial(partial: string): void {
  const { columns } = Deno.consoleSize();
  onTerminal(escapeControls(partial).slice(1 - columns));
}
