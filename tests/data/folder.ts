// Folders for tests.
import { encodeWav } from "../../data/audio/wav_write.ts";

/** Writes files under a new folder, hands it over, and removes it. */
export async function withFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await Deno.makeTempDir();
  try {
    await put(dir, files);
    return await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Writes files under a folder. */
export async function put(dir: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = `${dir}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await (typeof content === "string" ? Deno.writeTextFile(path, content) : Deno.writeFile(path, content));
  }
}

/** A WAV file of a tone of so many seconds, 16 kHz unless given. */
export function tone(seconds: number, sampleRate = 16_000): Uint8Array {
  const samples = Int16Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => 8000 * Math.sin(i / 7),
  );
  return encodeWav(samples, sampleRate);
}
