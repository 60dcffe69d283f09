import { type AudioOptions, loadAudio } from "../data/audio/audio.ts";
import { fromUser } from "./files.ts";
import { UserError } from "./user_error.ts";

/**
 * Processes audio files one after the other. A file that cannot be read gives one line on standard error, and the
 * next one follows.
 *
 * @param command name of the command
 * @param files the operands
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
    throw new UserError(`${command} requires audio files: see espalier ${command} --help`);
  }
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

/** Whether the cause of an error is the file, and not the program or the device. */
function isAboutFile(error: Error): boolean {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return true;
  const kinds = [SyntaxError, RangeError, TypeError];
  return kinds.some((kind) => error instanceof kind) && /^Cannot .+ as .+: /s.test(error.message);
}
