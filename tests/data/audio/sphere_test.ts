import { assertEquals, assertRejects } from "@std/assert";
import { decodeBytes } from "../../../data/audio/audio.ts";
import { integers } from "./wav.ts";

// A file with the fields of TIMIT, changed or without those that are undefined.
function sphere(data: Uint8Array, changes: Readonly<Record<string, string | undefined>> = {}): Uint8Array {
  const fields = {
    channel_count: "-i 1",
    sample_count: `-i ${data.length / 2}`,
    sample_rate: "-i 16000",
    sample_n_bytes: "-i 2",
    sample_byte_format: "-s2 01",
    sample_sig_bits: "-i 16",
    sample_coding: "-s3 pcm",
    ...changes,
  };
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : `${name} ${value}\n`
  );
  const head = `NIST_1A\n   1024\n${lines.join("")}end_head\n`;
  return Uint8Array.from([...new TextEncoder().encode(head.padEnd(1024)), ...data]);
}

const decode = async (bytes: Uint8Array) => (await decodeBytes(bytes, "SA1.WAV", { minSamples: 1 })).samples;

Deno.test("NIST SPHERE is read: PCM in both byte orders, mu-law, A-law, several channels", async () => {
  const values = [0, 1, -1, 32767, -32768, 8192];
  const expected = values.map((value) => value / 32768);
  const little = integers(values, 16);
  assertEquals([...await decode(sphere(little))], expected);
  const big = little.map((_, i) => little[i ^ 1]!);
  assertEquals([...await decode(sphere(big, { sample_byte_format: "-s2 10" }))], expected);
  assertEquals(
    [...await decode(sphere(little, { sample_count: undefined, sample_coding: undefined }))],
    expected,
  );
  const stereo = { channel_count: "-i 2", sample_count: "-i 3" };
  assertEquals(
    [...await decode(sphere(little, stereo))],
    [0, 2, 4].map((i) => (expected[i]! + expected[i + 1]!) / 2),
  );
  const three = { sample_n_bytes: "-i 3", sample_byte_format: "-s3 210", sample_count: "-i 2" };
  const bytes = Uint8Array.of(0x40, 0, 0, 0xff, 0xff, 0xff);
  for (const sample_byte_format of ["-s3 210", "-s2 10"]) {
    assertEquals([...await decode(sphere(bytes, { ...three, sample_byte_format }))], [0.5, -(2 ** -23)]);
  }
  // Codes of ITU-T G.711, as in the test of WAV.
  const one = { sample_n_bytes: "-i 1", sample_byte_format: "-s1 1", sample_count: "-i 2" };
  const mulaw = await decode(sphere(Uint8Array.of(0x80, 0x67), { ...one, sample_coding: "-s4 ulaw" }));
  assertEquals([...mulaw].map((x) => x * 32768), [32124, -260]);
  const alaw = await decode(sphere(Uint8Array.of(0xaa, 0x55), { ...one, sample_coding: "-s4 alaw" }));
  assertEquals([...alaw].map((x) => x * 32768), [32256, -8]);
});

Deno.test("NIST SPHERE that cannot be read is refused by name", async () => {
  const data = integers([1, 2, 3, 4], 16);
  const refused: [Uint8Array, string][] = [
    [
      sphere(data, { sample_coding: "-s26 pcm,embedded-shorten-v2.00" }),
      "NIST SPHERE must be PCM, mu-law or A-law, not compressed (convert it: sph2pipe -f wav IN OUT): " +
      "it is pcm,embedded-shorten-v2.00",
    ],
    [
      sphere(data, { sample_count: "-i 5" }),
      "its data must lie within the file: they take 10 bytes, 8 follow",
    ],
    [
      sphere(data, { sample_rate: undefined }),
      "sample_rate of NIST SPHERE must be 1000 to 192000: it is missing",
    ],
    [sphere(data, { sample_n_bytes: "-i 1" }), "sample_n_bytes of NIST SPHERE must be 2 to 4: 1"],
    [sphere(data, { sample_byte_format: "-s2 11" }), "sample_byte_format of 2 bytes must be 01 or 10: 11"],
    [sphere(data).subarray(0, 100), "the header of a NIST SPHERE file must end with end_head: it does not"],
    [sphere(data).subarray(0, 9), "the header of a NIST SPHERE file must state its size: it does not"],
  ];
  for (const [bytes, message] of refused) {
    const error = await assertRejects(() => decode(bytes), SyntaxError);
    assertEquals(error.message, `Cannot read SA1.WAV as audio as ${message}`);
  }
});
