import { SpeechModel } from "../model/speech_model.ts";
import type { Checkpoint } from "../model/checkpoint/types.ts";
import { openGpu } from "./backend.ts";
import type { OnnxRequest, OnnxResponse } from "./run_onnxruntime.ts";
import program from "./run_onnxruntime.ts" with { type: "text" };

/** Samples of the utterances that are compared. */
const LENGTHS = [16_000, 9_000];

/** Result of a model in onnxruntime. */
export interface Compared {
  /** Version of onnxruntime. */
  readonly version: string;
  /** Largest difference of its logits from ours, as a share of our largest logit. */
  readonly difference: number;
}

/**
 * Runs the files of a model in onnxruntime, in a process of its own, and compares their logits of two utterances of noise with ours.
 * Nothing is downloaded.
 *
 * @param checkpoint The model; its weights are freed.
 * @param files Paths of its ONNX files.
 * @param masked Whether they have an attention mask.
 * @returns A result per file; null if onnxruntime is not installed.
 * @throws {Error} If a file does not run, or there is no adapter for ours; one line.
 */
export async function compareWithOnnxruntime(
  checkpoint: Checkpoint,
  files: readonly string[],
  masked: boolean,
): Promise<Compared[] | null> {
  const audio = noise();
  const request = {
    audio: [...audio],
    dims: [LENGTHS.length, LENGTHS[0]!],
    lengths: masked ? LENGTHS : null,
  };
  const { version } = await runOnnxruntime({ ...request, files: [] });
  if (version === null) return null;
  // One after the other, so that the model is not in memory twice.
  const ours = await logitsOf(checkpoint, audio, masked);
  const { logits } = await runOnnxruntime({ ...request, files });
  return logits.map((theirs) => ({ version, difference: differenceOf(ours, theirs) }));
}

/** Audio of the utterances, padded with zeros: [2, S]. */
function noise(): Float32Array<ArrayBuffer> {
  const samples = LENGTHS[0]!;
  const data = new Float32Array(LENGTHS.length * samples);
  let state = 1;
  data.forEach((_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (i % samples < LENGTHS[Math.floor(i / samples)]!) data[i] = state / 2 ** 31 - 1;
  });
  return data;
}

async function logitsOf(
  checkpoint: Checkpoint,
  audio: Float32Array<ArrayBuffer>,
  masked: boolean,
): Promise<Float32Array> {
  const gpu = await openGpu();
  try {
    using model = new SpeechModel(gpu, checkpoint);
    free(checkpoint);
    using samples = gpu.tensor(audio, [LENGTHS.length, LENGTHS[0]!]);
    using logits = gpu.scope(() => model.forward({ samples, lengths: masked ? LENGTHS : null }).logits!);
    return await logits.read() as Float32Array;
  } finally {
    gpu.destroy();
  }
}

/** Frees the weights on the host. */
function free({ tensors }: Checkpoint): void {
  const buffers = new Set([...tensors.values()].map(({ data }) => data.buffer));
  for (const buffer of buffers) buffer.transfer(0);
}

/** Largest difference as a share of the largest logit. */
function differenceOf(ours: Float32Array, theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Infinity;
  const largest = ours.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i]!)), 0);
  return difference / largest;
}

/** Deno as this process may start it: the task of `export` permits the one in the path. */
async function denoProgram(): Promise<string> {
  const path = Deno.execPath();
  const { state } = await Deno.permissions.query({ name: "run", command: path });
  return state === "granted" ? path : "deno";
}

/** Runs the program with what Deno has in its cache. A compiled program has no Deno. */
async function runOnnxruntime(request: OnnxRequest): Promise<OnnxResponse> {
  if (Deno.build.standalone) return { version: null, logits: [] };
  const source = `data:application/typescript,${encodeURIComponent(program)}`;
  const child = new Deno.Command(await denoProgram(), {
    args: [
      "run",
      "--no-prompt",
      "-R",
      "-E",
      "-S",
      "--allow-ffi",
      "--cached-only",
      "--no-lock",
      "--no-config",
      "--quiet",
      source,
    ],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A child that ends early closes its input; its status and messages show why.
  await writer.write(new TextEncoder().encode(JSON.stringify(request))).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (success) return JSON.parse(text.decode(stdout).trim().split("\n").at(-1)!);
  const [why = "it ended without a message"] = text.decode(stderr).split("\n").filter((line) => line !== "");
  throw new Error(`Cannot compare with onnxruntime as it must run the file: ${why}`);
}
