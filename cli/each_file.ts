import { type AudioOptions, loadAudio } from "../data/audio/audio.ts";
import { fromUser } from "./files.ts";
import { UserError } from "./user_error.ts";

/**
 * Works on audio files one after the other. A file that cannot be read is told in one line on standard error, and the
 * others go on.
 *
 * @param doing what the command does, for the message without files
 * @param files the operands
 * @param work what to do with a file's samples, at 16 kHz
 * @returns the exit status: 1 if a file failed
 * @throws {UserError} there is no file
 */
export async function eachFile(
  doing: string,
  files: readonly string[],
  work: (file: string, samples: Float32Array) => Promise<void>,
  options: AudioOptions = {},
): Promise<number> {
  if (files.length === 0) throw new UserError(`Cannot ${doing} as it needs audio files: none is given`);
  let failed = 0;
  for (const file of files) {
    try {
      const { samples } = await loadAudio(fromUser(file), options);
      await work(file, samples);
    } catch (error) {
      if (!(error instanceof Error) || !isAboutFile(error)) throw error;
      failed++;
      const about = error.message.includes(file) ? error.message : `${file}: ${error.message}`;
      console.error(about.replace(/\s*\n\s*/g, " "));
    }
  }
  return failed > 0 ? 1 : 0;
}

/** Whether an error is the file's and not the program's or the device's. */
function isAboutFile(error: Error): boolean {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return true;
  const kinds = [SyntaxError, RangeError, TypeError];
  return kinds.some((kind) => error instanceof kind) && /^Cannot .+ as .+: /s.test(error.message);
}
