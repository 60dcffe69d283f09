import { seeHelp } from "./program_name.ts";
import { type AudioOptions, decodeBytes, type DecodedAudio, loadAudio } from "../data/audio/audio.ts";
import { fromUser } from "./files.ts";
import { printError } from "./print.ts";
import { UserError } from "./user_error.ts";

/** Bytes that are read from a pipe at most: 1 GiB. */
const MOST_PIPED = 2 ** 30;

/**
 * Processes audio files one after the other. A file that cannot be read gives one line on standard error, and the
 * next one follows.
 *
 * @param command name of the command
 * @param files the operands; `-` is standard input, and pipes are read as well
 * @param work processes a file's samples, at 16 kHz
 * @returns the exit status: 1 if a file failed
 * @throws {UserError} there is no file
 */
export async function eachFile(
  command: string,
  files: readonly string[],
  work: (file: string, samples: Float32Array) => Promise<void>,
  options: AudioOptions = {},
): Promise<number> {
  if (files.length === 0) {
    throw new UserError(`${command} requires audio files: ${seeHelp(command)}`);
  }
  let failed = 0;
  for (const file of files) {
    try {
      const { samples } = await readAudio(file, options);
      await work(file, samples);
    } catch (error) {
      if (!(error instanceof Error) || !isAboutFile(error)) throw error;
      failed++;
      const named = [file, fromUser(file)].some((name) => error.message.includes(name));
      const about = named ? error.message : `${file}: ${error.message}`;
      printError(about.replace(/\s*\n\s*/g, " "));
    }
  }
  return failed > 0 ? 1 : 0;
}

/** Reads a file, a pipe such as `<(…)`, or standard input, which have no size and are read whole. */
async function readAudio(file: string, options: AudioOptions): Promise<DecodedAudio> {
  const path = fromUser(file);
  const stream = file === "-" || file === "/dev/stdin"
    ? Deno.stdin.readable
    : await Deno.stat(path).then(({ isFifo, isCharDevice }) => isFifo || isCharDevice, () => false)
    ? (await Deno.open(path)).readable
    : null;
  if (!stream) return await loadAudio(path, options);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    parts.push(part);
    length += part.length;
    if (length > MOST_PIPED) {
      throw new RangeError(`Cannot read ${file} as a pipe has at most ${MOST_PIPED} bytes: it has more`);
    }
  }
  const bytes = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
  return await decodeBytes(bytes, file === "-" ? "standard input" : file, { sampleRate: 16_000, ...options });
}

/** Whether the cause of an error is the file, and not the program or the device. */
function isAboutFile(error: Error): boolean {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return true;
  const kinds = [SyntaxError, RangeError, TypeError];
  return kinds.some((kind) => error instanceof kind) && /^Cannot .+ as .+: /s.test(error.message);
}
