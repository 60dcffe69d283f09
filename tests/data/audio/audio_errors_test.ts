import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AudioOptions, decodeBytes, loadAudio, streamAudio } from "../../../data/audio/audio.ts";
import { mutate } from "../../mutate.ts";
import { assertBounded } from "../../bounded.ts";
import { integers, wavFile, type WavSpec } from "./wav.ts";

const folder = new URL("../../testdata/audio/", import.meta.url);
const bytesOf = (name: string) => Deno.readFileSync(new URL(name, folder));
const ramp = integers(Array.from({ length: 500 }, (_, i) => i), 16);
const wav = (spec: WavSpec) => wavFile(ramp, spec);
const changed = (bytes: Uint8Array, at: number, ...values: number[]) => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};
const SHORT = "Cannot read a.x as audio must have at least 400 samples: found";
const FORMATS = "its format must be WAV, FLAC, MP3, Ogg Vorbis, Ogg Opus, AIFF, NIST SPHERE or .g722";

type Refused = [what: string, bytes: Uint8Array, message: string, options?: AudioOptions];

const REFUSED: Refused[] = [
  ["an empty file", new Uint8Array(0), "it must have samples: the file is empty"],
  ["text", new TextEncoder().encode("hello"), `${FORMATS}: it starts with 68 65 6c 6c 6f`],
  ["a WAV header alone", wav({}).subarray(0, 12), "a WAV file must have a data chunk: none is in 12 bytes"],
  [
    "data before the format",
    changed(wav({}), 12, 0x64, 0x61, 0x74, 0x61),
    "the format must come before the data",
  ],
  ["a cut format", wav({}).subarray(0, 30), "the format takes 16 bytes: it has 10"],
  [
    "a cut WAV",
    wav({}).subarray(0, 900),
    "its data must lie within the file: they take 1000 bytes, 856 follow",
  ],
  [
    "a lie of 4 GB",
    wav({ dataSize: 4_294_000_000 }).subarray(0, 100),
    "its data must lie within the file: they take 4294000000 bytes, 56 follow",
  ],
  [
    "ADPCM",
    wav({ tag: 0x11 }),
    "its encoding must be PCM, float, A-law or mu-law: it is 0x11, IMA ADPCM (convert it: ffmpeg -i IN OUT.flac)",
  ],
  ["no channel", wav({ channels: 0 }), "it must have 1 to 64 channels: it has 0"],
  ["65535 channels", wav({ channels: 65_535, blockAlign: 2 }), "it must have 1 to 64 channels: it has 65535"],
  ["40 bits", wav({ bits: 40 }), "integer samples must have 8, 16, 24, 32 bits: 40"],
  ["16-bit floats", wav({ tag: 3 }), "float samples must have 32, 64 bits: 16"],
  [
    "odd frames",
    wav({ blockAlign: 7 }),
    "a frame must hold one sample per channel: 1 of 16 bits, in 7 bytes",
  ],
  ["a rate of 0", wav({ sampleRate: 0 }), "its sample rate must be 1000 to 192000 Hz: it is 0"],
  ["no samples", wavFile(new Uint8Array(0)), "it must have samples: none could be decoded"],
  [
    "NaN samples",
    wavFile(new Uint8Array(Float32Array.of(0, NaN).buffer), { tag: 3, bits: 32 }),
    "its samples must be finite: one is NaN",
  ],
  [
    "a FLAC header",
    bytesOf("tone.flac").subarray(0, 41),
    "a FLAC file starts with 42 bytes of header: it has 41 bytes",
  ],
  ["a cut FLAC", bytesOf("tone.flac").subarray(0, 2000), "it must have samples: none could be decoded"],
  [
    "a FLAC that lacks a frame",
    changed(bytesOf("tone.flac"), 25, 0xc1),
    "it must have as many samples as its header states: 4800 of 4801 can be decoded",
  ],
  [
    "a broken FLAC frame",
    changed(bytesOf("tone.flac"), 2500, 1, 2, 3),
    "its FLAC data must be valid: lost sync",
  ],
  [
    "FLAC of 32 bits",
    bytesOf("tone_32bit.flac"),
    "FLAC must have 8, 16 or 24 bits: it has 32",
  ],
  [
    "another checksum",
    changed(bytesOf("tone.flac"), 26, 1, 2, 3),
    "the MD5 of its samples must be that of its header: it differs",
  ],
  ["a cut Opus", bytesOf("tone.opus").subarray(0, 1500), "each Ogg page must be complete: the one at byte "],
  [
    "a flipped bit",
    changed(bytesOf("tone.opus"), 1500, 0),
    "each Ogg page must be complete: the one at byte ",
  ],
  ["a cut Vorbis", bytesOf("tone.ogg").subarray(0, 4000), "each Ogg page must be complete: the one at byte "],
  [
    "two streams",
    Uint8Array.of(...bytesOf("tone.opus"), ...bytesOf("tone.opus")),
    "an Ogg file must hold one stream: another starts at byte 2710",
  ],
  [
    "another codec",
    changed(bytesOf("tone.opus"), 28, 0x53, 0x70),
    "an Ogg file must hold Vorbis, Opus or FLAC",
  ],
  [
    "an MP3 header",
    bytesOf("tone_44k_stereo.mp3").subarray(0, 100),
    "it must have samples: none could be decoded",
  ],
  [
    "half a second of ID3",
    new TextEncoder().encode("ID3".padEnd(300)),
    "it must have samples: none could be decoded",
  ],
];

Deno.test("broken audio is refused in one line that names the file", async (t) => {
  for (const [what, bytes, message, options] of REFUSED) {
    await t.step(what, async () => {
      const error = await assertRejects(() => decodeBytes(bytes, "a.x", options), SyntaxError);
      const expected = `Cannot read a.x as audio as ${message}`;
      assertEquals(error.message.slice(0, expected.length), expected);
      assert(!error.message.includes("\n"));
    });
  }
});

Deno.test("what decoders print about broken audio is not shown", async () => {
  const { error, warn } = console;
  let printed = 0;
  console.error = console.warn = () => printed++;
  try {
    const bytes = bytesOf("tone_44k_stereo.mp3");
    bytes.fill(0x5a, 1000);
    await decodeBytes(bytes, "a.mp3").catch(() => {});
  } finally {
    Object.assign(console, { error, warn });
  }
  assertEquals(printed, 0);
});

Deno.test("audio of under 400 samples is refused", async () => {
  const audio = (n: number, sampleRate = 16_000) => wavFile(ramp.subarray(0, 2 * n), { sampleRate });
  const short = await assertRejects(() => decodeBytes(audio(399), "a.x"), RangeError);
  assertEquals(short.message, `${SHORT} 399`);
  assertEquals((await decodeBytes(audio(400), "a.x")).samples.length, 400);
  assertEquals((await decodeBytes(audio(1), "a.x", { minSamples: 1 })).samples.length, 1);
  // The rate asked for counts: 200 samples at 8 kHz are 400 at 16 kHz.
  const wide = { sampleRate: 16_000 };
  assertEquals((await decodeBytes(audio(200, 8000), "a.x", wide)).samples.length, 400);
  const half = await assertRejects(() => decodeBytes(audio(500, 32_000), "a.x", wide), RangeError);
  assertEquals(half.message, `${SHORT} 250`);
});

Deno.test("a rate out of range is refused", async () => {
  const decode = (sampleRate: number) => decodeBytes(wav({}), "a.x", { sampleRate });
  for (const rate of [0, -1, 999, 16_000.5, NaN, 200_000]) {
    const error = await assertRejects(() => decode(rate), RangeError);
    assertEquals(
      error.message,
      `Cannot read a.x as a sample rate must be a whole number from 1000 to 192000 Hz: it is ${rate}`,
    );
  }
});

Deno.test("errors of paths that cannot be read are one line", async () => {
  const missing = await assertRejects(() => loadAudio("no/such.wav"), Deno.errors.NotFound);
  assertEquals(missing.message, "Cannot read no/such.wav as it must exist: there is no such file");
  const path = folder.pathname;
  const folderError = await assertRejects(() => loadAudio(path), TypeError);
  assertEquals(folderError.message, `Cannot read ${path} as it must be a file: it is a folder`);
  await assertRejects(() => streamAudio("no/such.wav").next(), Deno.errors.NotFound);
});

Deno.test("500 mutated WAV files are decoded or refused, quickly", async () => {
  const values = Array.from({ length: 100 }, (_, i) => 300 * i - 15_000);
  const file = wavFile(integers(values, 16), { extensible: true, chunks: [["LIST", new Uint8Array(10)]] });
  let decoded = 0;
  for (let seed = 0; seed < 500; seed++) {
    const bytes = mutate(file, seed, 84);
    // Decoding takes microseconds; the limit leaves room for a busy machine.
    const decode = () => decodeBytes(bytes, "a.wav", { minSamples: 1 }).catch((error) => error as Error);
    const result = await assertBounded({ ms: 1000 }, decode, `seed ${seed}`);
    if (!(result instanceof Error)) {
      const { samples } = result;
      // A sample takes a byte at least.
      assert(samples.length <= bytes.length, `seed ${seed}: ${samples.length} samples`);
      decoded++;
    } else {
      assert(result instanceof SyntaxError || result instanceof RangeError, `seed ${seed}: ${result}`);
      assert(/^Cannot read a\.wav as [\x20-\x7e]+$/.test(result.message), `seed ${seed}: ${result.message}`);
    }
  }
  assert(decoded > 50 && decoded < 400, `${decoded} of 500 decoded`);
});
