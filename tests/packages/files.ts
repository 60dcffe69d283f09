// What the programs of the tests read: the embedded model and a spoken command, whose transcript is known.
import { EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { loadAudio } from "../../data/audio/audio.ts";
import { build } from "../../build/main.ts";

const root = new URL("../../", import.meta.url).pathname;

/** Transcript of the command. */
export const TEXT = "WHAT IS THE WEATHER IN LONDON ON MONDAY";

/** What {@linkcode use} of use.mjs returns. */
export interface Used {
  readonly adapter: string;
  readonly gradient: readonly number[];
  readonly text: string;
  readonly words: readonly { readonly text: string; readonly start: number; readonly end: number }[];
}

/** Builds the packages, and writes the files that the programs read beside them, into a new folder. */
export async function prepare(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-packages-" });
  await build(`${folder}/dist`);
  for await (const { name, isFile } of Deno.readDir(EMBEDDED_DENSE)) {
    if (isFile) await Deno.copyFile(`${EMBEDDED_DENSE}/${name}`, `${folder}/${name}`);
  }
  const { samples } = await loadAudio(`${root}assets/samples/weather.flac`);
  await Deno.writeFile(`${folder}/speech.f32`, new Uint8Array(samples.buffer.slice(0)));
  await Deno.copyFile(new URL("use.mjs", import.meta.url), `${folder}/use.mjs`);
  return folder;
}
