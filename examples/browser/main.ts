/// <reference lib="dom" />
// A page that transcribes an audio file in the browser. Bundle it with Vite, esbuild or `deno bundle`.
import { type LoadedModel, loadModel } from "@espalier/espalier";

const model = document.querySelector<HTMLInputElement>("#model")!;
const audio = document.querySelector<HTMLInputElement>("#audio")!;
const text = document.querySelector<HTMLElement>("#text")!;

let loaded: LoadedModel | null = null;

model.addEventListener("change", () => {
  loaded?.dispose();
  loaded = null;
});

audio.addEventListener("change", async () => {
  try {
    // The name of a model on the hub, or the URL of its folder; weights stay in the browser's cache.
    loaded ??= await loadModel(model.value, {
      onProgress: ({ file, received, size }) => text.textContent = `${file}: ${received} of ${size} bytes`,
    });
    // Resampled to 16 kHz; the first channel.
    const bytes = await audio.files![0]!.arrayBuffer();
    const decoded = await new OfflineAudioContext(1, 1, 16_000).decodeAudioData(bytes);
    text.textContent = (await loaded.transcribe(decoded.getChannelData(0))).text;
  } catch (error) {
    text.textContent = (error as Error).message;
  }
});
