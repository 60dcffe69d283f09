/**
 * Transcripts as text, JSON, subtitles and time-marked words.
 *
 * @module
 */
import type { TimedWord, Transcript } from "../model/decode/greedy.ts";
import { wrap } from "./wrap.ts";

/** Formats of `transcribe`. */
export const TRANSCRIPT_FORMATS = ["txt", "json", "srt", "vtt", "ctm"] as const;

/** A format of a transcript. */
export type TranscriptFormat = typeof TRANSCRIPT_FORMATS[number];

/** A transcript of a file. */
export interface FileTranscript extends Transcript {
  /** Path, as it was given. */
  readonly file: string;
  /** Length of the audio. */
  readonly seconds: number;
}

/** Words that are shown together. */
interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

// Two lines of 42 characters, as subtitles have them; a pause or a long time begins the next cue.
const LINE = 42;
const LINES = 2;
const PAUSE = 1;
const LONGEST = 7;
/** Seconds that a cue is shown at least, where the next one allows: the frames of a short word are over at once. */
const SHORTEST = 1;

/**
 * A transcript in a format, without a line break at its end.
 *
 * @param format the format
 * @param transcript the transcript
 */
export function formatTranscript(format: TranscriptFormat, transcript: FileTranscript): string {
  switch (format) {
    case "txt":
      return transcript.text;
    case "json":
      return jsonOf(transcript);
    case "srt":
      return cuesOf(transcript.words).map(({ start, end, lines }, i) =>
        `${i + 1}\n${clock(start, ",")} --> ${clock(end, ",")}\n${lines.join("\n")}\n`
      ).join("\n").trimEnd();
    case "vtt":
      return [
        "WEBVTT",
        ...cuesOf(transcript.words).map(({ start, end, lines }) =>
          `${clock(start, ".")} --> ${clock(end, ".")}\n${lines.map(escapeVtt).join("\n")}`
        ),
      ].join("\n\n");
    case "ctm":
      return transcript.words.map((word) => ctmLine(nameOf(transcript.file), word)).join("\n");
  }
}

/** Name of a file without folder and extension; `stdin` for standard input. */
export function nameOf(file: string): string {
  return file === "-" ? "stdin" : file.replace(/^.*[/\\]/, "").replace(/(?<=.)\.[^.]*$/, "");
}

function jsonOf({ file, seconds, text, words }: FileTranscript): string {
  return JSON.stringify({ file, seconds: rounded(seconds), text, words: jsonWords(words) });
}

/** Words as JSON has them, with three decimals. */
export function jsonWords(words: readonly TimedWord[]): TimedWord[] {
  return words.map(({ text, start, end, confidence }) => ({
    text,
    start: rounded(start),
    end: rounded(end),
    confidence: rounded(confidence),
  }));
}

/** A line of NIST's CTM: recording, channel, start, duration, word, confidence. */
function ctmLine(name: string, { text, start, end, confidence }: TimedWord): string {
  const times = [start, end - start].map((seconds) => seconds.toFixed(2));
  return [name.replace(/\s+/g, "_"), "1", ...times, text, confidence.toFixed(3)].join(" ");
}

function cuesOf(words: readonly TimedWord[]): Cue[] {
  const groups: TimedWord[][] = [];
  for (const word of words) {
    const group = groups.at(-1);
    if (group && belongsTo(group, word)) group.push(word);
    else groups.push([word]);
  }
  return groups.map((group, i) => {
    const start = group[0]!.start;
    const next = groups[i + 1]?.[0]?.start ?? Infinity;
    const end = Math.max(group.at(-1)!.end, Math.min(start + SHORTEST, next));
    return { start, end, lines: wrap(textOf(group), LINE) };
  });
}

function belongsTo(group: readonly TimedWord[], word: TimedWord): boolean {
  return word.start - group.at(-1)!.end < PAUSE && word.end - group[0]!.start <= LONGEST &&
    wrap(textOf([...group, word]), LINE).length <= LINES;
}

const textOf = (words: readonly TimedWord[]) => words.map(({ text }) => text).join(" ");

/** A time as `01:02:03.450`. */
function clock(seconds: number, point: string): string {
  const milliseconds = Math.round(seconds * 1000);
  const [whole, rest] = [Math.floor(milliseconds / 1000), milliseconds % 1000];
  const parts = [whole / 3600, whole / 60 % 60, whole % 60].map((part) =>
    String(Math.floor(part)).padStart(2, "0")
  );
  return `${parts.join(":")}${point}${String(rest).padStart(3, "0")}`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function escapeVtt(line: string): string {
  return line.replace(/[&<>]/g, (character) => ENTITIES[character]!);
}

/** To three decimals. */
const rounded = (n: number) => Math.round(n * 1000) / 1000;
