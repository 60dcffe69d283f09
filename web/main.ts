/// <reference lib="dom" />
// The page that shows a dense and a compact model side by side.
import { type Gpu, type LoadedModel, loadModel, requestGpu } from "../mod.ts";
import { decode, record, type Recording, SAMPLE_RATE } from "./audio.ts";
import { megabytes, ModelCard } from "./model_card.ts";
import type { Site, SiteModel } from "./site.ts";

/** Runs whose median time is shown. The first run of a length compiles shaders and is not among them. */
const RUNS = 5;
/** Seconds after which no further run starts. */
const MOST_SECONDS = 6;

interface Shown {
  readonly card: ModelCard;
  readonly loaded: LoadedModel;
}

const find = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const input = find("input");
const file = find<HTMLInputElement>("file");
const recordButton = find<HTMLButtonElement>("record");
const player = find<HTMLAudioElement>("player");
const status = find("status");
const comparison = find("comparison");

function show(text: string, isError = false): void {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

const messageOf = (error: unknown) => error instanceof Error ? error.message : String(error);

async function load(gpu: Gpu, model: SiteModel): Promise<Shown> {
  const card = new ModelCard(model, find("models"));
  const received = new Map<string, number>();
  const loaded = await loadModel(new URL(`${model.folder}?v=${model.version}`, document.baseURI), {
    gpu,
    onProgress(progress) {
      received.set(progress.file, progress.received);
      card.loading([...received.values()].reduce((sum, bytes) => sum + bytes, 0));
    },
  });
  loaded.requireHead("ctc");
  card.ready();
  return { card, loaded };
}

const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!;

/** Transcribes with every model and shows the texts, then times the models in turn. */
async function transcribe(models: readonly Shown[], samples: Float32Array): Promise<void> {
  const seconds = samples.length / SAMPLE_RATE;
  comparison.textContent = "";
  show(`Transcribing ${seconds.toFixed(1)} s`);
  const start = performance.now();
  for (const { card, loaded } of models) card.transcript((await loaded.transcribe(samples)).text);
  show(`Measuring ${seconds.toFixed(1)} s`);
  const times: number[][] = models.map(() => []);
  for (let run = 0; run < RUNS; run++) {
    if (run > 0 && performance.now() - start > MOST_SECONDS * 1000) break;
    for (const [i, { loaded }] of models.entries()) {
      const begin = performance.now();
      await loaded.transcribe(samples);
      times[i]!.push((performance.now() - begin) / 1000 / seconds);
    }
  }
  const medians = times.map(median);
  for (const [i, { card }] of models.entries()) card.time(medians[i]!);
  const [dense, compact] = medians;
  if (compact !== undefined) {
    comparison.textContent = `The compact model takes ${
      (100 * compact / dense!).toFixed(0)
    } % of the dense model's time.`;
  }
  show(`${seconds.toFixed(1)} s of audio, median of ${times[0]!.length} runs in alternation`);
}

/** Connects the controls; audio that comes while other audio is transcribed waits. */
function listen(models: readonly Shown[], samples: readonly string[]): void {
  let work: Promise<void> = Promise.resolve();
  let playing: string | null = null;
  const take = (audio: Blob) => {
    work = work.then(async () => {
      if (playing !== null) URL.revokeObjectURL(playing);
      player.src = playing = URL.createObjectURL(audio);
      player.hidden = false;
      const samples = await decode(await audio.arrayBuffer()).catch(() => {
        throw new Error("The browser cannot decode this file: choose WAV, MP3, FLAC, Ogg or M4A");
      });
      await transcribe(models, samples);
    }).catch((error) => show(messageOf(error), true));
  };
  file.onchange = () => {
    const [first] = file.files ?? [];
    if (first) take(first);
    file.value = ""; // so that the same file can be chosen again
  };
  input.ondragover = (event) => {
    event.preventDefault();
    input.classList.add("over");
  };
  input.ondragleave = () => input.classList.remove("over");
  input.ondrop = (event) => {
    event.preventDefault();
    input.classList.remove("over");
    const [first] = event.dataTransfer?.files ?? [];
    if (first) take(first);
  };
  let recording: Recording | null = null;
  recordButton.onclick = async () => {
    recordButton.disabled = true;
    try {
      if (recording) take(await recording.stop());
      recording = recording ? null : await record();
      if (recording) show("Recording: speak, then stop");
    } catch (error) {
      show(`Cannot record: ${messageOf(error)}`, true);
    }
    recordButton.textContent = recording ? "Stop" : "Record";
    recordButton.ariaPressed = String(recording !== null);
    recordButton.disabled = false;
  };
  for (const [i, path] of samples.entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `Sample ${i + 1}`;
    button.onclick = async () => take(await (await fetch(new URL(path, document.baseURI))).blob());
    find("samples").append(button);
  }
  file.disabled = recordButton.disabled = false;
}

async function main(): Promise<void> {
  if (!("gpu" in navigator)) {
    throw new Error(
      "This browser has no WebGPU: use a current Chrome, Edge, Safari or Firefox, over https or localhost",
    );
  }
  const site: Site = await (await fetch(new URL("site.json", document.baseURI))).json();
  const bytes = site.models.reduce((sum, model) => sum + model.bytes, 0);
  find("download").textContent = `Download of the models: ${megabytes(bytes)}, kept by the browser.`;
  const gpu = await requestGpu();
  find("adapter").textContent = `Adapter: ${gpu.name}${gpu.software ? " (software, on the CPU)" : ""}`;
  const models: Shown[] = [];
  for (const model of site.models) models.push(await load(gpu, model));
  listen(models, site.samples);
  show("Ready");
}

main().catch((error) => show(messageOf(error), true));
