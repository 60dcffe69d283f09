// The page of `web` in headless Chromium, served by a static server under a folder. Needs Chromium: `deno task test:web`.
import { assert, assertEquals } from "@std/assert";
import axe from "npm:axe-core@4.14.1";
import { EMBEDDED_COMPACT, EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { loadAudio } from "../../data/audio/audio.ts";
import { encodeWav, toInt16 } from "../../data/audio/wav_write.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import { drop, openPage, ready } from "./open_page.ts";

const sample = new URL("../../assets/samples/bathroom.flac", import.meta.url).pathname;

function matches(text: string | null, pattern: RegExp): void {
  assert(pattern.test(text ?? ""), `${text} does not match ${pattern}`);
}

/** A sample as a WAV file, and what `transcribe` prints for it with each model. */
async function reference(): Promise<{ wav: Uint8Array; texts: string[] }> {
  const { samples } = await loadAudio(sample);
  const texts: string[] = [];
  for (const model of [EMBEDDED_DENSE, EMBEDDED_COMPACT]) {
    using loaded = await loadModel(model);
    texts.push((await loaded.transcribe(samples)).text);
  }
  return { wav: encodeWav(toInt16(samples), 16_000), texts };
}

Deno.test("a dropped WAV file is transcribed by both models, with times; all requests go to the page's folder", async () => {
  const { wav, texts } = await reference();
  await using opened = await openPage();
  const { page, url, requests } = opened;
  await ready(page);
  await drop(page, "speech.wav", wav);
  await page.getByText(/median of \d runs/).waitFor();
  assertEquals(await page.locator("article .text").allTextContents(), texts);
  const times = (await page.locator("article .time").allTextContents()).map((text) => {
    matches(text, /^\d+\.\d ms for 1 s of audio$/);
    return parseFloat(text);
  });
  assertEquals(times.length, 2);
  matches(
    await page.locator("#comparison").textContent(),
    /^The compact model takes \d+ % of the dense model's time\.$/,
  );
  matches(
    await page.locator("#adapter").textContent(),
    /^Adapter: .*swiftshader.* \(software, on the CPU\)$/,
  );
  assertEquals(requests.filter((one) => !one.startsWith(url) && !/^(blob|data):/.test(one)), []);
  assert(opened.sent() < 5e6, `${opened.sent()} bytes were sent`);
  console.log(`${(opened.sent() / 1e6).toFixed(2)} MB in all`);
});

Deno.test("a file that is no audio gives one line, and the page takes another", async () => {
  await using opened = await openPage();
  const { page } = opened;
  await ready(page);
  await drop(page, "notes.txt", new TextEncoder().encode("no audio"));
  await page.getByText("The browser cannot decode this file").waitFor();
  await page.getByRole("button", { name: "Sample 3" }).click();
  await page.getByText(/median of \d runs/).waitFor();
  assertEquals(
    await page.locator("article .text").first().textContent(),
    "WHAT IS THE WEATHER IN LONDON ON MONDAY",
  );
});

Deno.test("speech from the microphone is transcribed", async () => {
  const { wav } = await reference();
  const file = await Deno.makeTempFile({ suffix: ".wav" });
  try {
    await Deno.writeFile(file, wav);
    await using opened = await openPage({ microphone: file });
    const { page } = opened;
    await ready(page);
    await page.getByRole("button", { name: "Record" }).click();
    await page.getByText("Recording").waitFor();
    await page.waitForTimeout(4000);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText(/median of \d runs/).waitFor();
    matches(await page.locator("article .text").first().textContent(), /BATHROOM/);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("the page fits a phone, and has no accessibility faults that axe finds", async () => {
  await using opened = await openPage({ viewport: { width: 360, height: 740 } });
  const { page } = opened;
  await ready(page);
  await page.getByRole("button", { name: "Sample 1" }).click();
  await page.getByText(/median of \d runs/).waitFor();
  assert(await page.evaluate("document.documentElement.scrollWidth") as number <= 360);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate("axe.run()") as { violations: { id: string; help: string }[] };
  assertEquals(violations.map(({ id, help }) => `${id}: ${help}`), []);
});

Deno.test("a browser without WebGPU gets a line that names what is needed", async () => {
  await using opened = await openPage({
    before: () => Reflect.deleteProperty(Object.getPrototypeOf(navigator), "gpu"),
  });
  await opened.page.getByText("This browser has no WebGPU").waitFor();
});
