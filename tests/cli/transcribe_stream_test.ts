// `transcribe --stream`: standard input of several kinds, as a process reads it.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { EMBEDDED_DENSE } from "../../cli/embedded.ts";
import { samplesOf } from "../../cli/stream_input.ts";
import { preferVulkan } from "../../cli/backend.ts";
import { UserError } from "../../cli/user_error.ts";
import { loadAudio } from "../../data/audio/audio.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import { testGpu } from "../gpu.ts";
import { run } from "./run.ts";

const root = new URL("../../", import.meta.url);

/** Samples of 16 bits as bytes. */
const bytesOf = (samples: Float32Array) =>
  new Uint8Array(Int16Array.from(samples, (sample) => Math.round(sample * 32_768)).buffer);

/** A WAV file of 16 kHz; as in a pipe, the size of the data may be a placeholder. */
function wav(data: Uint8Array, { channels = 1, size = data.length } = {}): Uint8Array {
  const head = new DataView(new ArrayBuffer(44));
  const text = (at: number, word: string) =>
    [...word].forEach((c, i) => head.setUint8(at + i, c.charCodeAt(0)));
  text(0, "RIFF");
  text(8, "WAVEfmt ");
  text(36, "data");
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, channels, true);
  head.setUint32(24, 16_000, true);
  head.setUint32(28, 32_000 * channels, true);
  head.setUint16(32, 2 * channels, true);
  head.setUint16(34, 16, true);
  head.setUint32(40, size, true);
  return new Uint8Array([...new Uint8Array(head.buffer), ...data]);
}

/** Reads bytes that come in pieces. */
async function read(bytes: Uint8Array, piece: number): Promise<number[]> {
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += piece) yield await Promise.resolve(bytes.slice(at, at + piece));
  };
  return (await Array.fromAsync(samplesOf(pieces()))).flatMap((part) => [...part]);
}

Deno.test("standard input is read as it comes: bare samples, and WAV with a size or without", async () => {
  const samples = Float32Array.from({ length: 5000 }, (_, i) => Math.round(Math.sin(i) * 1000) / 32_768);
  const data = bytesOf(samples);
  for (const piece of [1, 777, 4096, 100_000]) {
    assertEquals(await read(data, piece), [...samples], `${piece}`);
    assertEquals(await read(wav(data), piece), [...samples], `${piece}`);
    assertEquals(await read(wav(data, { size: 0xffff_ffff }), piece), [...samples], `${piece}`);
    const followed = new Uint8Array([...wav(data), ...new TextEncoder().encode("LIST of notes")]);
    assertEquals(await read(followed, piece), [...samples], `${piece}`);
  }
  assertEquals(await read(data.subarray(0, 5), 2), [...samples.subarray(0, 2)]);
  assertEquals(await read(wav(new Uint8Array()), 1), []);
});

Deno.test("standard input of another kind is refused with the command that converts it", async () => {
  const stereo = wav(new Uint8Array(9000), { channels: 2 });
  const flac = await Deno.readFile(new URL("assets/samples/weather.flac", root));
  for (const bytes of [stereo, flac]) {
    const error = await assertRejects(() => read(bytes, 5000), UserError, "Cannot stream standard input as");
    assertStringIncludes(error.message, "ffmpeg -i INPUT -f s16le -ar 16000 -ac 1 -");
  }
  const texts = ["Liebe Grüße\n".repeat(500), '{"audio": "a.wav"}\r\n', "a\tb", "\n"];
  for (const text of texts) {
    const reason =
      "Cannot stream standard input as it must be WAV or bare samples, 16 bits, 16000 Hz, one channel: it is text";
    for (const piece of [1, 4095, 9000]) {
      await assertRejects(() => read(new TextEncoder().encode(text), piece), UserError, reason);
    }
  }
  await assertRejects(() => read(new Uint8Array(), 1), UserError, "one channel: it is empty");
  // The quietest samples, of 0 and 1, are not text.
  assertEquals((await read(new Uint8Array([1, 0, 0, 0, 1, 0]), 2)).length, 3);
  await assertRejects(
    () => read(wav(new Uint8Array(9000)).subarray(0, 30), 5000),
    UserError,
    "the format takes 16 bytes",
  );
});

Deno.test("transcribe --stream prints words while audio comes", async () => {
  const { samples } = await loadAudio(new URL("assets/samples/weather.flac", root));
  const silence = new Float32Array(8000);
  const long = new Float32Array([...samples, ...silence, ...samples, ...silence, ...samples, ...silence]);
  const env = new Map([["NO_COLOR", "1"]]);
  preferVulkan({ has: (name) => Deno.env.has(name), set: (name, value) => env.set(name, value) });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      "cli.ts",
      "transcribe",
      "--model",
      EMBEDDED_DENSE,
      "--stream",
      "--json",
      "-",
    ],
    cwd: root,
    env: Object.fromEntries(env),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = child.stdout.pipeThrough(new TextDecoderStream());
  const writer = child.stdin.getWriter();
  await writer.write(bytesOf(long));
  // The first words are final while the pipe is still open.
  let text = "";
  const isFinal = (line: string) => JSON.parse(line).text !== "";
  for await (const part of stdout.values({ preventCancel: true })) {
    text += part;
    if (text.split("\n").slice(0, -1).some(isFinal)) break; // the last line may be incomplete
  }
  await writer.close();
  for await (const part of stdout) text += part;
  const [{ code }, errors] = await Promise.all([child.status, new Response(child.stderr).text()]);
  assertEquals(code, 0, errors);
  const updates = text.trim().split("\n").map((line) => JSON.parse(line));
  using model = await loadModel(EMBEDDED_DENSE, { gpu: await testGpu() });
  const whole = await model.transcribe(long, { chunkSeconds: 6, normalization: "running" });
  assert(whole.words.length > 20);
  assertEquals(updates.map((update) => update.text).filter(Boolean).join(" "), whole.text);
  assert(updates.at(-1).partial === "" && updates.at(-1).words.length > 0);
});

Deno.test("a stream has no files, beams or subtitles", async () => {
  const mistakes: [string[], string][] = [
    [["a.wav"], "--stream reads standard input: got a.wav"],
    [["--beam", "4", "-"], "--beam cannot be used with --stream"],
    [["--format", "srt"], "--format srt cannot be used with --stream: it has txt and json"],
  ];
  for (const [words, message] of mistakes) {
    assertEquals(await run("transcribe", "--stream", ...words), { status: 2, out: [], err: [message] });
  }
});
