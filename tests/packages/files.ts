// What the programs of the tests read: the embedded model and a spoken command, whose transcript is known.
import { assertAlmostEquals, assertEquals, assertGreater, assertLess } from "@std/assert";
import { EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { encodeWav, toInt16 } from "../../data/audio/wav_write.ts";
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
  readonly pruned: {
    /** Share of the MACs. */
    readonly removed: number;
    readonly models: number;
    /** Of the compact model, and of the model that was loaded from its files. */
    readonly texts: readonly [string, string];
    readonly bytes: number;
  };
}

/** Checks what a program found: a gradient, a transcript, and a model that was pruned, saved and loaded again. */
export function checkUsed({ gradient, text, words, pruned }: Used): void {
  assertEquals(gradient, [7, 11, 9, 13]);
  assertEquals([text, words.map(({ text }) => text).join(" ")], [TEXT, TEXT]);
  assertAlmostEquals(pruned.removed, 0.3, 0.05);
  assertEquals([pruned.models, pruned.texts[1]], [3, pruned.texts[0]]);
  assertGreater(pruned.bytes, 500_000);
  assertLess(pruned.bytes, 1_700_000); // the dense model has 1.9 MB
}

/** Builds the packages, and writes the files that the programs read beside them, into a new folder. */
export async function prepare(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-packages-" });
  await build(`${folder}/dist`);
  for await (const { name, isFile } of Deno.readDir(EMBEDDED_DENSE)) {
    if (isFile) await Deno.copyFile(`${EMBEDDED_DENSE}/${name}`, `${folder}/${name}`);
  }
  const { samples } = await loadAudio(`${root}assets/samples/weather.flac`);
  await Deno.writeFile(`${folder}/speech.wav`, encodeWav(toInt16(samples), 16_000));
  await Deno.copyFile(new URL("use.mjs", import.meta.url), `${folder}/use.mjs`);
  return folder;
}
