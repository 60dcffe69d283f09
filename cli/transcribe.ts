import { makeFolder, writeFileAtomic } from "../files/atomic_file.ts";
import { escapeField } from "../files/printable.ts";
import { defineCommand } from "./command.ts";
import { eachFile } from "./each_file.ts";
import { onFiles } from "./files.ts";
import { EMBEDDED_COMPACT } from "./embedded.ts";
import { group } from "./options.ts";
import { halfOption, langOption, modelOption, openModel, revisionOption } from "./model_option.ts";
import { requireNewFolder } from "./output_folder.ts";
import { print } from "./print.ts";
import { note } from "./stderr.ts";
import { noteOnWords, searchOf, searchOptions } from "./search_options.ts";
import { transcribeStream } from "./transcribe_stream.ts";
import {
  type FileTranscript,
  formatTranscript,
  nameOf,
  TRANSCRIPT_FORMATS,
  type TranscriptFormat,
} from "./transcript_formats.ts";
import { UserError } from "./user_error.ts";

/** Default length of the chunks of a stream: words are final sooner than with those of a file. */
const STREAM_SECONDS = 6;

/** `transcribe`: the text of audio files. */
export const transcribeCommand = defineCommand({
  name: "transcribe",
  summary: "Transcribe audio files of any length",
  operands: "FILES…",
  options: {
    ...group("Model", {
      model: {
        ...modelOption,
        required: false,
        computed: { text: "the embedded compact model of spoken commands" },
      },
      revision: revisionOption,
      lang: langOption,
      half: halfOption,
    }),
    ...searchOptions,
    ...group("Input", {
      stream: {
        type: "flag",
        description:
          "print words while standard input comes: WAV or bare samples, 16 bits, 16 kHz, one channel",
      },
    }),
    ...group("Output", {
      format: {
        type: "string",
        choices: TRANSCRIPT_FORMATS,
        description: "text, JSON with every word's time and confidence, subtitles, or NIST's CTM",
        default: "txt",
      },
      json: { type: "flag", description: "as --format json: an object per file" },
      out: {
        type: "path",
        short: "o",
        value: "DIR",
        description: "write a file per recording, NAME.FORMAT, into a new or empty folder",
      },
    }),
  },
  examples: [
    ["try it, with the embedded model", "transcribe assets/samples/*.flac"],
    ["transcribe with a model from the hub", "transcribe -m facebook/wav2vec2-base-960h speech.wav"],
    ["beam search with a language model", "transcribe -m compact --lm words.arpa *.flac"],
    ["from standard input", "transcribe -m compact - < speech.wav"],
    ["words while they are spoken", "transcribe -m compact --stream - < microphone"],
    ["subtitles beside each other", "transcribe -m compact --format srt -o subtitles *.wav"],
  ],
  async run({ model, revision, lang, half, stream, json, format, out, ...values }, files, given) {
    if (stream) checkStream(given, files);
    if (json && given.format !== undefined && format !== "json") {
      throw new UserError(`--json cannot be used with --format ${format}`);
    }
    const write = await onFiles(() => writerOf(json ? "json" : format, out, files));
    const search = await searchOf(values);
    if (model === undefined) note("the model is the embedded one of spoken commands: --model takes yours");
    const loaded = await openModel(model ?? EMBEDDED_COMPACT, { half, revision, lang });
    try {
      await onFiles(() => Promise.try(() => loaded.requireHead("ctc")));
      noteOnWords(search, loaded);
      if (stream) {
        const options = { chunkSeconds: given["chunk-length"] ?? STREAM_SECONDS };
        await transcribeStream(loaded, Deno.stdin.readable, json || format === "json", options);
        return 0;
      }
      return await eachFile("transcribe", files, async (file, samples) => {
        const transcript = await loaded.transcribe(samples, search);
        await write({ ...transcript, file, seconds: samples.length / 16_000 });
      });
    } finally {
      loaded.dispose();
      loaded.model.gpu.destroy();
    }
  },
});

/** Refuses options that a stream does not have. */
function checkStream(given: Readonly<Record<string, unknown>>, files: readonly string[]): void {
  if (files.length > 1 || (files.length === 1 && files[0] !== "-")) {
    throw new UserError(`--stream reads standard input: got ${files[0]}`);
  }
  for (const name of ["lm", "beam", "out"]) {
    if (given[name] !== undefined) throw new UserError(`--${name} cannot be used with --stream`);
  }
  const { format = "txt" } = given;
  if (format !== "txt" && format !== "json") {
    throw new UserError(`--format ${format} cannot be used with --stream: it has txt and json`);
  }
}

/**
 * Prints transcripts, or writes each to a file.
 *
 * @throws {UserError} files would overwrite each other or earlier ones, or subtitles of several recordings would be one file
 */
async function writerOf(
  format: TranscriptFormat,
  out: string | undefined,
  files: readonly string[],
): Promise<(transcript: FileTranscript) => Promise<void>> {
  if (out === undefined) {
    if ((format === "srt" || format === "vtt") && files.length > 1) {
      throw new UserError(`Subtitles are a file per recording: give one recording, or --out DIR for them`);
    }
    return (transcript) => {
      const { file, text } = transcript;
      if (format === "txt") print([file, text].map(escapeField).join("\t"));
      else if (format !== "ctm" || text !== "") print(formatTranscript(format, transcript));
      return Promise.resolve();
    };
  }
  const pathOf = (file: string) => `${out}/${nameOf(file)}.${format}`;
  const paths = new Map<string, string>();
  for (const file of files) {
    const other = paths.get(pathOf(file));
    if (other !== undefined) {
      throw new UserError(`Cannot write ${pathOf(file)} as file names must differ: ${other} and ${file}`);
    }
    paths.set(pathOf(file), file);
  }
  await requireNewFolder("transcribe", out);
  await makeFolder(out);
  return (transcript) => {
    const text = formatTranscript(format, transcript);
    return writeFileAtomic(pathOf(transcript.file), text === "" ? "" : `${text}\n`);
  };
}
