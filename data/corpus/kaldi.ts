// Reads data folders of Kaldi (Povey et al., "The Kaldi speech recognition toolkit", ASRU 2011), which ESPnet and others
// use too.
import type { Segment } from "../audio/segment.ts";
import { labelled } from "./columns.ts";
import { AudioFinder, foldersIn, isFile } from "./folders.ts";
import { forEachLine, lineError, readLines, refuseLine, type TextLine } from "./lines.ts";
import { OddRow } from "./odd_rows.ts";
import type { OnError, ReadOptions, Utterance } from "./utterance.ts";
import { UtteranceList } from "./utterance_list.ts";

/** Name of the layout for errors. */
export const layoutName = "SUBSET/wav.scp with text as Kaldi";

/**
 * Finds data folders.
 *
 * @param dir A data folder, which is one subset with an empty name; or a folder of them, or the parent of such a `data`.
 * @returns Paths of the data folders by name; empty if the folder has another layout.
 */
export async function findSubsets(dir: string): Promise<Map<string, string>> {
  if (await isFile(`${dir}/wav.scp`)) return new Map([["", dir]]);
  const subsets = new Map<string, string>();
  for (const root of [dir, `${dir}/data`]) {
    for (const name of await foldersIn(root)) {
      if (await isFile(`${root}/${name}/wav.scp`)) subsets.set(name, `${root}/${name}`);
    }
  }
  return subsets;
}

/** A line of a table: an id and what follows it. */
interface Entry extends TextLine {
  readonly id: string;
}

type Table = ReadonlyMap<string, Entry>;

/**
 * Reads a data folder: `wav.scp` with a path each, relative to the folder or one of the two above it; `text`; `utt2spk`,
 * `segments` and `utt2dur` where there are any. Without `segments` a recording is an utterance.
 *
 * @param path The data folder.
 * @param options Task, number of utterances, and where errors go: odd are utterances without audio, transcript or length.
 * @throws {SyntaxError} If `wav.scp` has commands, which are not run, or archives; or if a line has too few fields.
 */
export async function readSubset(_dir: string, path: string, options: ReadOptions): Promise<Utterance[]> {
  const { task, limit, onError } = options;
  const table = (name: string) => readTable(`${path}/${name}`, onError);
  const recordings = filesOnly(await table("wav.scp"), onError);
  const texts = await table("text");
  const speakers = await table("utt2spk");
  const durations = await table("utt2dur");
  const isCut = await isFile(`${path}/segments`);
  const listed = isCut ? await table("segments") : recordings;
  const audio = new AudioFinder(path, `${path}/..`, `${path}/../..`);
  const utterances = new UtteranceList(task, onError);
  forEachLine([...listed.values()], onError, ({ id, at, text: line }) => {
    if (utterances.size >= limit) return;
    const { recording, segment } = isCut ? parseSegment(at, line) : { recording: id };
    const file = recordings.get(recording);
    if (!file) throw withoutAudio(id, at, `${path}/wav.scp has no ${recording}`);
    const utterance = { id, at, audio: audio.find(file.text, { name: id, at }), ...segment && { segment } };
    const seconds = segment ? segment.seconds : secondsOf(durations.get(id));
    const [text, speaker] = [texts.get(id)?.text, speakers.get(id)?.text];
    utterances.add(labelled(utterance, task, { text, speaker, seconds }), at);
  });
  for (const { id, at } of utterances.size < limit ? texts.values() : []) {
    if (!listed.has(id)) {
      onError(withoutAudio(id, at, `${path}/${isCut ? "segments" : "wav.scp"} has no ${id}`));
    }
  }
  return utterances.all;
}

function withoutAudio(id: string, at: string, found: string): OddRow {
  return new OddRow("audio", { name: id, at }, "every utterance needs its audio", found);
}

/** The lines of a table by id; empty if there is no such file. Text may be empty after the id. */
async function readTable(path: string, onError: OnError): Promise<Table> {
  const entries = new Map<string, Entry>();
  if (!await isFile(path)) return entries;
  forEachLine(await readLines(path), onError, ({ at, text: line }) => {
    const [, id, text] = line.match(/^(\S+)\s*(.*)$/s)!;
    const before = entries.get(id!);
    if (before) refuseLine(at, "ids must be unique", `${id} is already in ${before.at}`);
    entries.set(id!, { id: id!, at, text: text! });
  });
  return entries;
}

/** The recordings that are files. Of commands and archives the first is an error, with their number. */
function filesOnly(recordings: Table, onError: OnError): Table {
  const isCommand = ({ text }: Entry) => text.endsWith("|") || text.startsWith("|") || text === "-";
  const isInArchive = ({ text }: Entry) => /:\d+$/.test(text);
  const refuse = (kind: (entry: Entry) => boolean, rule: string) => {
    const [first, ...others] = [...recordings.values()].filter(kind);
    if (first) onError(lineError(first.at, rule, `${first.text} (${others.length} more)`));
  };
  refuse(isCommand, "wav.scp must name files, as commands are not run");
  refuse(
    (entry) => !isCommand(entry) && isInArchive(entry),
    "wav.scp must name files, not places in archives",
  );
  return new Map([...recordings].filter(([, entry]) => !isCommand(entry) && !isInArchive(entry)));
}

/** Recording, start and end in seconds; the end is −1 for that of the recording. */
function parseSegment(at: string, line: string): { recording: string; segment: Segment } {
  const [recording = "", start = "", end = "", ...more] = line.split(/\s+/);
  const seconds = (name: string, field: string): number => {
    const value = field === "" ? NaN : Number(field);
    return Number.isFinite(value)
      ? value
      : refuseLine(at, `${name} must be seconds`, field || "it is missing");
  };
  const [from, to] = [seconds("the start of a segment", start), seconds("the end of a segment", end)];
  if (from < 0) refuseLine(at, "the start of a segment must be at least 0", start);
  // A channel may follow.
  if (more.length > 1) {
    refuseLine(at, "a segment has a recording, a start and an end", `more: ${more.join(" ")}`);
  }
  return { recording, segment: to === -1 ? { offset: from } : { offset: from, seconds: to - from } };
}

function secondsOf(entry: Entry | undefined): number | undefined {
  if (!entry) return undefined;
  const seconds = Number(entry.text || NaN);
  return Number.isFinite(seconds) ? seconds : refuseLine(entry.at, "a duration must be seconds", entry.text);
}
