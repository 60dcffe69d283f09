/**
 * Measures how long `transcribe ONE.wav` takes from the command to its exit: with warm caches, with an empty shader cache, and
 * with all caches empty, of this checkout and, in alternation, of another one.
 *
 * @module
 */

import { loadAudio } from "../data/audio/audio.ts";
import { encodeWav, toInt16 } from "../data/audio/wav_write.ts";
import { checkoutNames, type TitledTable } from "./record.ts";
import { digits, median } from "./statistics.ts";
import { ROOT } from "./step_modules.ts";

/** Which caches are full: all; all but the driver's compiled shaders; none, those of Deno and of packages included. */
export const CACHES = ["warm", "no shaders", "empty"] as const;
/** Which caches are full. */
export type Caches = typeof CACHES[number];

/** Times of a checkout with some caches. */
export interface StartupTime {
  readonly caches: Caches;
  /** Commit of the other checkout; null for this one. */
  readonly against: string | null;
  /** Seconds of each run. */
  readonly seconds: readonly number[];
}

/** Result of {@linkcode measureStartup}. */
export interface Startup {
  /** Seconds of audio. */
  readonly audio: number;
  readonly times: readonly StartupTime[];
}

/** Options of {@linkcode measureStartup}. */
export interface StartupOptions {
  /** Which caches are full, of {@linkcode CACHES}. */
  readonly caches: readonly Caches[];
  /** Folder of another checkout to compare with; null for none. */
  readonly against: string | null;
  /** Runs with warm caches; at most two are made with empty ones, which take longer. */
  readonly rounds: number;
  readonly progress: (message: string) => void;
}

const SAMPLE = `${ROOT}/assets/samples/weather.flac`;
/** Runs with empty caches at most. */
const MOST_COLD = 2;

/** Variables that put all caches into a folder: of Deno, of the program, and the shaders of Mesa and NVIDIA. */
function cachesIn(folder: string, shaders: string): Record<string, string> {
  return {
    DENO_DIR: `${folder}/deno`,
    XDG_CACHE_HOME: `${folder}/cache`,
    ...shadersIn(shaders),
  };
}

function shadersIn(folder: string): Record<string, string> {
  return { MESA_SHADER_CACHE_DIR: folder, __GL_SHADER_DISK_CACHE_PATH: folder };
}

/** Seconds of a run. @throws {Error} It failed. */
async function transcribe(root: string, file: string, env: Record<string, string>): Promise<number> {
  const start = performance.now();
  const command = new Deno.Command(`${root}/espalier`, {
    args: ["transcribe", "--model", `${root}/assets/commands-tiny`, file],
    env,
    cwd: root,
  });
  const { success, stderr } = await command.output();
  const seconds = (performance.now() - start) / 1000;
  if (success) return seconds;
  throw new Error(
    `Cannot measure as transcribe failed in ${root}: ${new TextDecoder().decode(stderr).trim()}`,
  );
}

async function writeWav(path: string): Promise<number> {
  const { samples, sampleRate } = await loadAudio(SAMPLE);
  await Deno.writeFile(path, encodeWav(toInt16(samples), sampleRate));
  return samples.length / sampleRate;
}

/** Measures. The runs alternate between the checkouts, and each has its own caches. */
export async function measureStartup(
  { caches: all, against, rounds, progress }: StartupOptions,
): Promise<Startup> {
  const folder = await Deno.makeTempDir();
  const roots = against === null ? [null] : [null, against];
  const file = `${folder}/one.wav`;
  try {
    const audio = await writeWav(file);
    const warm = roots.map((_, i) => cachesIn(`${folder}/warm-${i}`, `${folder}/warm-${i}/shaders`));
    for (const [i, root] of roots.entries()) await transcribe(root ?? ROOT, file, warm[i]!);
    const times = roots.map(() => all.map(() => [] as number[]));
    for (let round = 1; round <= rounds; round++) {
      for (const [of, caches] of all.entries()) {
        if (caches !== "warm" && round > MOST_COLD) continue;
        for (const [i, root] of roots.entries()) {
          progress(`${caches}: ${root ?? "this checkout"}, round ${round} of ${rounds}`);
          const fresh = await Deno.makeTempDir({ dir: folder });
          const env = caches === "warm"
            ? warm[i]!
            : caches === "empty"
            ? cachesIn(fresh, `${fresh}/shaders`)
            : { ...warm[i]!, ...shadersIn(fresh) };
          times[i]![of]!.push(await transcribe(root ?? ROOT, file, env));
          await Deno.remove(fresh, { recursive: true });
        }
      }
    }
    const names = await checkoutNames(roots);
    return {
      audio,
      times: all.flatMap((caches, of) =>
        names.map((against, i) => ({ caches, against, seconds: times[i]![of]! }))
      ),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The times as a table. */
export function startupTables({ audio, times }: Startup): TitledTable[] {
  return [{
    title: `\`transcribe ONE.wav\` of ${audio.toFixed(1)} s, from the command to its exit`,
    left: [0, 1],
    head: ["caches", "checkout", "median", "runs", "least", "most"],
    rows: times.map(({ caches, against, seconds }) => [
      ...[caches, against ?? "this one"],
      ...[`${digits(median(seconds))} s`, String(seconds.length)],
      ...[Math.min(...seconds), Math.max(...seconds)].map((value) => `${digits(value)} s`),
    ]),
  }];
}
