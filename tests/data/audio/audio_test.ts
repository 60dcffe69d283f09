import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { type AudioOptions, decodeBytes, loadAudio, streamAudio } from "../../../data/audio/audio.ts";
import { assertBounded } from "../../bounded.ts";
import { integers, wavFile, type WavSpec } from "./wav.ts";

const folder = new URL("../../testdata/audio/", import.meta.url);
const bytesOf = (name: string) => Deno.readFileSync(new URL(name, folder));
const decode = (data: Uint8Array, spec: WavSpec, options: AudioOptions = {}) =>
  decodeBytes(wavFile(data, spec), "a.wav", { minSamples: 1, ...options });

// Amplitude of a 440 Hz sine, and the largest thing beside it, away from the ends.
function tone(samples: Float32Array, sampleRate: number): { amplitude: number; rest: number } {
  const edge = Math.round(sampleRate * 0.03);
  const middle = samples.subarray(edge, samples.length - edge);
  let [ss, cc, sc, xs, xc] = [0, 0, 0, 0, 0];
  const wave = (i: number) => 2 * Math.PI * 440 * i / sampleRate;
  middle.forEach((x, i) => {
    const [s, c] = [Math.sin(wave(i)), Math.cos(wave(i))];
    ss += s * s;
    cc += c * c;
    sc += s * c;
    xs += x * s;
    xc += x * c;
  });
  const a = (xs * cc - xc * sc) / (ss * cc - sc * sc);
  const b = (xc * ss - xs * sc) / (ss * cc - sc * sc);
  const rest = Math.max(...middle.map((x, i) => Math.abs(x - a * Math.sin(wave(i)) - b * Math.cos(wave(i)))));
  return { amplitude: Math.hypot(a, b), rest };
}

Deno.test("WAV integers of every depth come out exactly, divided by 2^(n-1)", async () => {
  for (const bits of [8, 16, 24, 32]) {
    const half = 2 ** (bits - 1);
    const values = [0, 1, -1, 2, half - 1, -half, half / 2, -half / 4 - 1];
    const { samples, sampleRate } = await decode(integers(values, bits), { bits, sampleRate: 22_050 });
    assertEquals([...samples], values.map((value) => Math.fround(value / half)));
    assertEquals(sampleRate, 22_050);
    const extensible = await decode(integers(values, bits), { bits, extensible: true });
    assertEquals([...extensible.samples], [...samples]);
  }
});

Deno.test("WAV floats come out exactly", async () => {
  const values = [0, 0.1, -1, 1.5, 1e-30];
  const single = await decode(new Uint8Array(Float32Array.from(values).buffer), { tag: 3, bits: 32 });
  const double = await decode(new Uint8Array(Float64Array.from(values).buffer), { tag: 3, bits: 64 });
  assertEquals([...single.samples], values.map(Math.fround));
  assertEquals([...double.samples], values.map(Math.fround));
});

Deno.test("WAV A-law and mu-law are decoded by G.711", async () => {
  // Codes of the smallest, a middle and the largest value of each sign (ITU-T G.711, tables 1 and 2, 16 bits).
  const alaw = await decode(Uint8Array.of(0xd5, 0x55, 0xaa, 0x2a, 0x80, 0x00), { tag: 6, bits: 8 });
  assertEquals([...alaw.samples].map((x) => x * 32768), [8, -8, 32256, -32256, 5504, -5504]);
  const mulaw = await decode(Uint8Array.of(0xff, 0x7f, 0x80, 0x00, 0xe7, 0x67), { tag: 7, bits: 8 });
  assertEquals([...mulaw.samples].map((x) => x * 32768), [0, 0, 32124, -32124, 260, -260]);
});

Deno.test("stereo becomes the mean, in blocks as well as at once", async () => {
  const frames = 40_000;
  const values = Array.from({ length: frames * 3 }, (_, i) => [i % 1000, -(i % 77), 5][i % 3]!);
  const { samples } = await decode(integers(values, 16), { channels: 3 });
  assertEquals(samples.length, frames);
  for (let i = 0; i < frames; i++) {
    const mean = (values[3 * i]! + values[3 * i + 1]! + values[3 * i + 2]!) / 32768 / 3;
    assertEquals(samples[i], Math.fround(mean));
  }
});

Deno.test("other chunks are passed over, and an unknown size reaches to the end", async () => {
  const data = integers([1, 2, 3, 4], 16);
  for (const dataSize of [0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0x7fff_f000]) {
    const spec = { dataSize, chunks: [["LIST", Uint8Array.of(1, 2, 3)], ["fact", new Uint8Array(4)]] };
    const { samples } = await decode(data, spec as WavSpec);
    assertEquals([...samples].map((x) => x * 32768), [1, 2, 3, 4]);
  }
});

Deno.test("a size of the data that counts a header as well reaches to the end", async () => {
  const data = integers([1, 2, 3, 4], 16);
  for (const [excess, chunks] of [[8, 0], [36, 0], [44, 0], [44, 12], [48, 12], [56, 12]] as const) {
    const spec: WavSpec = {
      dataSize: data.length + excess,
      chunks: chunks ? [["LIST", new Uint8Array(chunks - 8)]] : [],
    };
    const { samples } = await decode(data, spec);
    assertEquals([...samples].map((x) => x * 32768), [1, 2, 3, 4], `${excess} too many`);
  }
  const error = await assertRejects(() => decode(data, { dataSize: data.length + 43 }), SyntaxError);
  assertEquals(
    error.message,
    "Cannot read a.wav as audio as its data must lie within the file: they take 51 bytes, 8 follow",
  );
});

Deno.test("FLAC comes out as the bits that its checksum is of", async () => {
  for (
    const [name, at, rate] of [["tone.flac", 8, 16_000], ["tone_flac.oga", 45, 16_000], [
      "tone_8k.flac",
      8,
      8000,
    ]] as const
  ) {
    const bytes = bytesOf(name);
    const { samples, sampleRate } = await decodeBytes(bytes, name);
    assertEquals(sampleRate, rate);
    assertEquals(samples.length, 0.3 * rate);
    const integers = Int16Array.from(samples, (x) => x * 32768);
    assert(samples.every((x, i) => x * 32768 === integers[i]));
    const md5 = createHash("md5").update(new Uint8Array(integers.buffer)).digest("hex");
    assertEquals(md5, bytes.subarray(at + 18, at + 34).toHex(), name);
  }
  // The mean of two integers of 24 bits is a multiple of half a unit.
  const { samples } = await decodeBytes(bytesOf("tone_48k_24bit_stereo.flac"), "24.flac");
  assert(
    samples.every((x) => Number.isInteger(x * 2 ** 24)) &&
      !samples.every((x) => Number.isInteger(x * 2 ** 20)),
  );
});

// An ID3v2 tag of 300 bytes, whose size needs two bytes of 7 bits.
function id3(version: number, flags: number): number[] {
  const tag = [0x49, 0x44, 0x33, version, 0, flags, 0, 0, 300 >> 7, 300 & 127, ...new Array(300).fill(65)];
  return flags & 0x10 ? [...tag, ...new Array(10).fill(66)] : tag;
}

Deno.test("an ID3 tag before a file changes nothing, in memory or on the disk", async () => {
  const files: [string, Uint8Array][] = [
    ...["tone.flac", "tone_flac.oga", "tone.ogg", "tone.opus", "tone_44k_stereo.mp3"]
      .map((name): [string, Uint8Array] => [name, bytesOf(name)]),
    ["a.wav", wavFile(integers(Array.from({ length: 500 }, (_, i) => i), 16))],
  ];
  const path = await Deno.makeTempFile();
  try {
    for (const [name, bytes] of files) {
      const plain = await decodeBytes(bytes, name);
      for (const tags of [id3(3, 0), id3(4, 0x10), [...id3(3, 0), ...id3(4, 0)]]) {
        const tagged = Uint8Array.from([...tags, ...bytes]);
        assertEquals(await decodeBytes(tagged, name), plain, name);
        await Deno.writeFile(path, tagged);
        assertEquals(await loadAudio(path, { sampleRate: plain.sampleRate }), plain, name);
      }
    }
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("G.722 comes out bit by bit as ffmpeg decodes it", async () => {
  const ours = await decodeBytes(bytesOf("sweep.g722"), "sweep.g722");
  const reference = await decodeBytes(bytesOf("sweep_g722.flac"), "sweep_g722.flac");
  assertEquals(ours.sampleRate, 16_000);
  assertEquals(ours.samples, reference.samples);
});

Deno.test("every format gives the tone at 16 kHz", async () => {
  // Name, factor of the mean of the channels, seconds, and what may remain beside the tone: of lossy codecs by
  // their quality, of 16 bits half a unit, of a resampler its noise.
  const files: [string, number, number, number][] = [
    ["tone.flac", 1, 0.3, 2e-5],
    ["tone_flac.oga", 1, 0.3, 2e-5],
    ["tone_8k.flac", 1, 0.3, 1e-4],
    ["tone_48k_24bit_stereo.flac", 0.75, 0.1, 1e-5],
    ["tone.ogg", 1, 0.3, 0.03],
    ["tone.opus", 1, 0.3, 0.03],
    ["tone_44k_stereo.mp3", 0.25, 0.3, 0.01],
  ];
  for (const [name, factor, seconds, most] of files) {
    const { samples, sampleRate } = await loadAudio(new URL(name, folder));
    const { amplitude, rest } = tone(samples, sampleRate);
    assertEquals([sampleRate, samples.length], [16_000, seconds * 16_000], name);
    assert(Math.abs(amplitude - factor * 10 ** (-8 / 20)) < 0.01, `${name}: amplitude ${amplitude}`);
    assert(rest < most, `${name}: ${rest} beside the tone`);
  }
});

Deno.test("resampling keeps a tone at every usual rate", async () => {
  for (const sampleRate of [8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000]) {
    const n = Math.round(sampleRate * 0.25);
    const wave = Float32Array.from(
      { length: n },
      (_, i) => 0.5 * Math.sin(2 * Math.PI * 440 * i / sampleRate),
    );
    const { samples } = await decode(new Uint8Array(wave.buffer), { tag: 3, bits: 32, sampleRate }, {
      sampleRate: 16_000,
    });
    assertEquals(samples.length, Math.ceil(n * 16_000 / sampleRate));
    const { amplitude, rest } = tone(samples, 16_000);
    assert(Math.abs(amplitude - 0.5) < 1e-4 && rest < 1e-4, `${sampleRate}: ${amplitude}, ${rest}`);
  }
});

Deno.test("a stream gives the same samples in blocks", async () => {
  const path = new URL("tone_44k_stereo.mp3", folder);
  const { samples } = await loadAudio(path);
  const parts: number[] = [];
  for await (const block of streamAudio(path)) parts.push(...block);
  assertEquals(parts, [...samples]);
});

// A WAV header that claims `seconds`, with nothing behind it.
async function sparseFile(path: string, seconds: number): Promise<void> {
  const head = wavFile(new Uint8Array(0), { dataSize: seconds * 32_000 });
  await Deno.writeFile(path, head);
  await Deno.truncate(path, head.length + seconds * 32_000);
}

Deno.test("a file of ten hours is refused by its header, unless asked for", async () => {
  const path = await Deno.makeTempFile({ suffix: ".wav" });
  try {
    await sparseFile(path, 36_000);
    const error = await assertBounded({ ms: 1000 }, () => assertRejects(() => loadAudio(path), RangeError));
    assertEquals(
      error.message,
      `Cannot read ${path} as audio may last at most 14400 s: its header states 36000 s`,
    );
    await sparseFile(path, 3);
    await assertRejects(
      () => loadAudio(path, { maxSeconds: 2 }),
      RangeError,
      "at most 2 s: its header states 3 s",
    );
    let first = 0;
    await sparseFile(path, 36_000);
    for await (const block of streamAudio(path)) {
      first = block.length;
      break;
    }
    assert(first > 0 && first < 100_000);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("audio longer than its header states is stopped while it is decoded", async () => {
  // Without the number of frames in its first one: by the highest bit rate there is, it might last 0.08 s.
  const frames = bytesOf("tone_44k_stereo.mp3");
  const table = frames.findIndex((_, i) => new TextDecoder().decode(frames.subarray(i, i + 4)) === "Info");
  assert(table > 0 && (frames[table + 7]! & 1) === 1);
  frames[table + 7]! &= ~1;
  const error = await assertRejects(() => decodeBytes(frames, "a.mp3", { maxSeconds: 0.2 }), RangeError);
  assertEquals(error.message, "Cannot read a.mp3 as audio may last at most 0.2 s: it is longer");
});
