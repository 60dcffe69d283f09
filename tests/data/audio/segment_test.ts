import { assertEquals, assertRejects } from "@std/assert";
import { loadAudio } from "../../../data/audio/audio.ts";
import { UtteranceReader } from "../../../data/corpus/utterance_reader.ts";
import { assertBounded } from "../../bounded.ts";

const pathOf = (name: string) => new URL(`../../testdata/audio/${name}`, import.meta.url).pathname;

Deno.test("a segment has the samples of the whole file between its ends, in any format", async () => {
  for (const name of ["tone_8k.flac", "tone_44k_stereo.mp3", "tone.ogg", "tone.opus", "sweep.g722"]) {
    const audio = pathOf(name);
    const whole = await new UtteranceReader().read({ audio });
    const reader = new UtteranceReader();
    const all = whole.samples.length / whole.sampleRate;
    for (const segment of [{ offset: 0.1, seconds: 0.05 }, { offset: 0.033 }, { offset: 0, seconds: all }]) {
      const { offset, seconds = all } = segment;
      const [from, to] = [offset, offset + seconds].map((at) => Math.round(at * whole.sampleRate));
      const expected = whole.samples.slice(from, to);
      // By the reader, which keeps the decoded file, and by the stream, which does not.
      assertEquals((await reader.read({ audio, segment })).samples, expected, name);
      const streamed = await loadAudio(audio, { sampleRate: whole.sampleRate, segment });
      assertEquals(streamed.samples, expected, name);
    }
    const { samples } = await reader.read({ audio, segment: { offset: 0.1, seconds: 0.1 } }, {
      sampleRate: 16_000,
    });
    assertEquals(samples.length, 1600, name);
    const late = { audio, segment: { offset: 60, seconds: 1 } };
    await assertRejects(() => reader.read(late), SyntaxError, "a segment must begin within the file");
    await assertRejects(() => loadAudio(audio, { segment: late.segment }), SyntaxError, "it begins at 60 s");
  }
});

Deno.test("of an uncompressed file only the segment is read", async () => {
  const path = await Deno.makeTempFile({ suffix: ".wav" });
  try {
    // Two hours of mu-law at 8 kHz, of which nothing but the header and a second in the middle is written.
    const frames = 2 * 3600 * 8000;
    const header = new DataView(new ArrayBuffer(44));
    const text = (at: number, tag: string) =>
      [...tag].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
    ["RIFF", "WAVE", "fmt ", "data"].forEach((tag, i) => text([0, 8, 12, 36][i]!, tag));
    for (const [at, value] of [[4, frames + 36], [16, 16], [24, 8000], [28, 8000], [40, frames]] as const) {
      header.setUint32(at, value, true);
    }
    for (const [at, value] of [[20, 7], [22, 1], [32, 1], [34, 8]] as const) {
      header.setUint16(at, value, true);
    }
    using file = await Deno.open(path, { write: true });
    await file.write(new Uint8Array(header.buffer));
    await file.truncate(44 + frames);
    await file.seek(44 + 3600 * 8000, Deno.SeekMode.Start);
    await file.write(new Uint8Array(8000).fill(0x80));
    const utterance = { audio: path, segment: { offset: 3600, seconds: 1 } };
    const { samples } = await assertBounded({ ms: 1000 }, () => new UtteranceReader().read(utterance));
    assertEquals([samples.length, ...new Set(samples)], [8000, 32124 / 32768]);
  } finally {
    await Deno.remove(path);
  }
});
