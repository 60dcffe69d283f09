import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeBytes } from "../../../data/audio/audio.ts";
import { testMutations } from "../../mutations.ts";
import { integers, wavFile } from "./wav.ts";

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
const big = (value: number, bytes: number) =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) & 255);
const chunk = (
  name: string,
  body: readonly number[],
) => [...ascii(name), ...big(body.length, 4), ...body, ...body.length % 2 ? [0] : []];

// 44,100 and 16,000 as 80-bit floats.
const RATES = {
  44100: [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0],
  16000: [0x40, 0x0c, 0xfa, 0, 0, 0, 0, 0, 0, 0],
} as const;

interface Spec {
  readonly bits?: number;
  readonly channels?: number;
  readonly rate?: keyof typeof RATES;
  readonly compression?: string;
  readonly frames?: number;
}

/** An AIFF file, or AIFF-C with a compression, of samples in big-endian order. */
function aiff(data: Uint8Array, { bits = 16, channels = 1, rate = 16000, compression, frames }: Spec = {}) {
  const count = frames ?? data.length / channels / (bits / 8);
  const format = [...big(channels, 2), ...big(count, 4), ...big(bits, 2), ...RATES[rate]];
  const name = compression === undefined ? [] : [...ascii(compression), 0, 0];
  const body = [
    ...ascii(compression === undefined ? "AIFF" : "AIFC"),
    ...chunk("COMT", [1, 2, 3]),
    ...chunk("COMM", [...format, ...name]),
    ...chunk("SSND", [...big(2, 4), ...big(0, 4), 9, 9, ...data]),
  ];
  return Uint8Array.from(chunk("FORM", body));
}

const decode = (bytes: Uint8Array) => decodeBytes(bytes, "a.aiff", { minSamples: 1 });
const reversed = (bytes: Uint8Array, width: number) =>
  bytes.map((_, i) => bytes[i - i % width + width - 1 - i % width]!);

Deno.test("AIFF integers of every depth come out exactly, divided by 2^(n-1)", async () => {
  for (const bits of [8, 16, 24, 32]) {
    const half = 2 ** (bits - 1);
    const values = [0, 1, -1, 2, half - 1, -half, half / 2, -half / 4 - 1];
    const little = bits === 8 ? Uint8Array.from(values, (value) => value & 255) : integers(values, bits);
    const expected = values.map((value) => Math.fround(value / half));
    for (const rate of [16000, 44100] as const) {
      const { samples, sampleRate } = await decode(aiff(reversed(little, bits / 8), { bits, rate }));
      assertEquals([[...samples], sampleRate], [expected, rate]);
    }
    const { samples } = await decode(aiff(little, { bits, compression: "sowt" }));
    assertEquals([...samples], expected);
  }
  const stereo = await decode(aiff(Uint8Array.of(0x40, 0, 0x20, 0, 0xc0, 0, 0, 0), { channels: 2 }));
  assertEquals([...stereo.samples], [0.375, -0.25]);
});

Deno.test("AIFF-C floats, A-law and mu-law are read", async () => {
  const values = [0, 0.5, -1, 1.5];
  const single = reversed(new Uint8Array(Float32Array.from(values).buffer), 4);
  const double = reversed(new Uint8Array(Float64Array.from(values).buffer), 8);
  assertEquals([...(await decode(aiff(single, { bits: 32, compression: "fl32" }))).samples], values);
  assertEquals([...(await decode(aiff(double, { bits: 64, compression: "FL64" }))).samples], values);
  // Some programs state the 16 bits of the decoded samples.
  const coded = { bits: 16, frames: 2 };
  const mulaw = await decode(aiff(Uint8Array.of(0x80, 0x67), { ...coded, compression: "ulaw" }));
  assertEquals([...mulaw.samples].map((x) => x * 32768), [32124, -260]);
  const alaw = await decode(aiff(Uint8Array.of(0xaa, 0x55), { ...coded, compression: "ALAW" }));
  assertEquals([...alaw.samples].map((x) => x * 32768), [32256, -8]);
});

Deno.test("big-endian WAV (RIFX) is read", async () => {
  const values = [0, 1, -1, 32767, -32768];
  const wav = wavFile(integers(values, 16), { sampleRate: 22_050 });
  const rifx = wav.slice();
  rifx.set(ascii("RIFX"));
  const swap = (at: number, width: number) => rifx.subarray(at, at + width).reverse();
  for (const at of [4, 16, 24, 28, 40]) swap(at, 4);
  for (const at of [20, 22, 32, 34]) swap(at, 2);
  for (let at = 44; at < rifx.length; at += 2) swap(at, 2);
  const { samples, sampleRate } = await decode(rifx);
  assertEquals([[...samples], sampleRate], [values.map((value) => value / 32768), 22_050]);
});

Deno.test("AIFF that cannot be read is refused by name", async () => {
  const data = Uint8Array.of(1, 2, 3, 4);
  const refused: [Uint8Array, string][] = [
    [
      aiff(data, { compression: "ima4" }),
      "AIFF-C must be PCM, float, A-law or mu-law (convert it: ffmpeg -i IN OUT.wav): it is ima4",
    ],
    [aiff(data, { frames: 3 }), "its data must lie within the file: they take 6 bytes, 4 follow"],
    [aiff(data, { channels: 0, frames: 1 }), "it must have 1 to 64 channels: it has 0"],
    [aiff(data, { bits: 40, frames: 1 }), "integer samples must have 8, 16, 24, 32 bits: 40"],
    [aiff(data).subarray(0, 40), "the format takes 18 bytes: it has 8"],
    [aiff(data).subarray(0, 24), "an AIFF file must have a COMM chunk: there is none"],
    [aiff(data).subarray(0, 50), "an AIFF file must have an SSND chunk: there is none"],
  ];
  for (const [bytes, message] of refused) {
    const error = await assertRejects(() => decode(bytes), SyntaxError);
    assertEquals(error.message, `Cannot read a.aiff as audio as ${message}`);
  }
});

Deno.test("formats that are not read are named, with the way to convert them", async () => {
  const starts: [string, string][] = [
    ["\0\0\0\x20ftypM4A ", "M4A or MP4 (AAC or ALAC)"],
    ["\xff\xf1\x50\x80", "AAC"],
    ["\xff\xf9\x50\x80", "AAC"],
    ["\x1a\x45\xdf\xa3", "WebM or Matroska"],
    ["\x30\x26\xb2\x75", "WMA"],
    ["#!AMR\n", "AMR"],
    ["caff\0\x01", "CAF"],
  ];
  for (const [start, name] of starts) {
    const bytes = Uint8Array.from(ascii(start.padEnd(100, "\0")));
    const error = await assertRejects(() => decode(bytes), SyntaxError);
    assert(error.message.endsWith(`: it is ${name} (convert it: ffmpeg -i IN OUT.flac)`), error.message);
  }
  const pointer = ascii("version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  const error = await assertRejects(() => decode(Uint8Array.from(pointer)), SyntaxError);
  assert(error.message.endsWith("it is a Git LFS pointer, not the file itself: run git lfs pull"));
});

testMutations(
  "an AIFF file",
  () => aiff(new Uint8Array(200).map((_, i) => i), { compression: "NONE" }),
  (mutant) => decode(mutant),
  80,
);
