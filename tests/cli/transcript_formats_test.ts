import { assertEquals } from "@std/assert";
import { type FileTranscript, formatTranscript, nameOf } from "../../cli/transcript_formats.ts";

/** Words of half a second, one per second, at given times. */
function transcript(
  words: readonly (readonly [text: string, start: number, end?: number])[],
): FileTranscript {
  const timed = words.map(([text, start, end = start + 0.5]) => ({ text, start, end, confidence: 0.98765 }));
  const text = timed.map(({ text }) => text).join(" ");
  return { file: "speech/my talk.tar.wav", seconds: 3723.5, text, words: timed };
}

const short = transcript([["GOOD", 0], ["DAY", 0.5, 0.62]]);

Deno.test("a transcript as text, JSON and CTM", () => {
  assertEquals(formatTranscript("txt", short), "GOOD DAY");
  assertEquals(
    formatTranscript("json", short),
    '{"file":"speech/my talk.tar.wav","seconds":3723.5,"text":"GOOD DAY","words":[' +
      '{"text":"GOOD","start":0,"end":0.5,"confidence":0.988},' +
      '{"text":"DAY","start":0.5,"end":0.62,"confidence":0.988}]}',
  );
  assertEquals(
    formatTranscript("ctm", short),
    "my_talk.tar 1 0.00 0.50 GOOD 0.988\nmy_talk.tar 1 0.50 0.12 DAY 0.988",
  );
});

Deno.test("subtitles begin anew after a pause, seven seconds or two lines, and stay for a second", () => {
  const paused = transcript([["GOOD", 0], ["DAY", 0.5, 0.62], ["A<B&", 1.7, 1.75], ["LATE", 3661.25]]);
  assertEquals(
    formatTranscript("srt", paused),
    `1
00:00:00,000 --> 00:00:01,000
GOOD DAY

2
00:00:01,700 --> 00:00:02,700
A<B&

3
01:01:01,250 --> 01:01:02,250
LATE`,
  );
  assertEquals(
    formatTranscript("vtt", paused),
    `WEBVTT

00:00:00.000 --> 00:00:01.000
GOOD DAY

00:00:01.700 --> 00:00:02.700
A&lt;B&amp;

01:01:01.250 --> 01:01:02.250
LATE`,
  );
  const long = transcript(Array.from({ length: 12 }, (_, i) => ["INTERNATIONAL", i * 0.6]));
  assertEquals(
    formatTranscript("srt", long),
    `1
00:00:00,000 --> 00:00:03,500
INTERNATIONAL INTERNATIONAL INTERNATIONAL
INTERNATIONAL INTERNATIONAL INTERNATIONAL

2
00:00:03,600 --> 00:00:07,100
INTERNATIONAL INTERNATIONAL INTERNATIONAL
INTERNATIONAL INTERNATIONAL INTERNATIONAL`,
  );
  const slow = transcript(Array.from({ length: 9 }, (_, i) => ["A", i]));
  assertEquals(
    formatTranscript("srt", slow),
    `1
00:00:00,000 --> 00:00:06,500
A A A A A A A

2
00:00:07,000 --> 00:00:08,500
A A`,
  );
});

Deno.test("a transcript without words is empty in every format", () => {
  const none = { ...transcript([]), seconds: 1 };
  assertEquals(["txt", "srt", "vtt", "ctm"].map((format) => formatTranscript(format as "txt", none)), [
    "",
    "",
    "WEBVTT",
    "",
  ]);
  assertEquals(
    formatTranscript("json", none),
    '{"file":"speech/my talk.tar.wav","seconds":1,"text":"","words":[]}',
  );
});

Deno.test("files are named after their recordings", () => {
  assertEquals(["-", "a.wav", "x/a.b.flac", ".hidden", "C:\\a\\b.wav"].map(nameOf), [
    "stdin",
    "a",
    "a.b",
    ".hidden",
    "b",
  ]);
});
