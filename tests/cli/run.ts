import { assertEquals } from "@std/assert";
import { main } from "../../cli/main.ts";

/** Folder of the tests of the command line. */
export const here = new URL(".", import.meta.url).pathname;
/** Folder of the test data. */
export const testdata = `${here}../testdata`;

/** Runs a command line, with what it printed. */
export async function run(...args: string[]): Promise<{ status: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const { log, error } = console;
  console.log = (line) => out.push(line);
  console.error = (line) => err.push(line);
  try {
    return { status: await main(args, Deno.cwd()), out, err };
  } finally {
    console.log = log;
    console.error = error;
  }
}

/** A random model of a recipe in a folder of its own. */
export async function withModel(
  change: (config: Record<string, unknown>) => Record<string, unknown>,
  test: (model: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "espalier-test-" });
  try {
    const recipe = await Deno.readTextFile(`${here}../../recipes/configs/tiny-base.json`);
    const config = { ...JSON.parse(recipe), ...change(JSON.parse(recipe)) };
    await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify(config));
    const made = await run(
      "data",
      "random-model",
      "--config",
      `${folder}/config.json`,
      "--out",
      `${folder}/model`,
    );
    assertEquals(made.status, 0, made.err.join());
    await test(`${folder}/model`, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A 16-bit WAV of noise at 16 kHz. */
export async function writeNoise(path: string, samples: number): Promise<void> {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples));
  const text = (at: number, word: string) =>
    [...word].forEach((c, i) => bytes.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  bytes.setUint32(4, 36 + 2 * samples, true);
  text(8, "WAVEfmt ");
  const format = [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 16_000, 4], [28, 32_000, 4], [32, 2, 2], [
    34,
    16,
    2,
  ]];
  for (const [at, value, width] of format) {
    if (width === 4) bytes.setUint32(at!, value!, true);
    else bytes.setUint16(at!, value!, true);
  }
  text(36, "data");
  bytes.setUint32(40, 2 * samples, true);
  for (let i = 0; i < samples; i++) bytes.setInt16(44 + 2 * i, (i * 7919 % 8000) - 4000, true);
  await Deno.writeFile(path, new Uint8Array(bytes.buffer));
}
