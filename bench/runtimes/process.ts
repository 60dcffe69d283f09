/**
 * A process of the benchmark: loads a model in one runtime, then runs it once for every line of its input.
 *
 * @module
 */

import process from "node:process";
import { preferVulkan } from "../../cli/backend.ts";
import { loadModel } from "../../model/inference/load_model.ts";
import type { Answer } from "./runtime_process.ts";

/** A model that is loaded. */
interface Loaded {
  /** Where it computes. */
  readonly device: string;
  /** Runs it; the result is its logits, as far as the runtime gives them. */
  run(audio: Float32Array<ArrayBuffer>): Promise<Float32Array | null>;
}

/** What is used of onnxruntime-web and onnxruntime-node. */
type Runtime = typeof import("npm:onnxruntime-node@1.30.0");
type Session = Awaited<ReturnType<Runtime["InferenceSession"]["create"]>>;

const loaders: Readonly<Record<string, (folder: string) => Promise<Loaded>>> = {
  ours: async (folder) => {
    const loaded = await loadModel(`${folder}/model`);
    const run = async (audio: Float32Array<ArrayBuffer>) => {
      using logits = loaded.model.gpu.scope(() => loaded.forward(loaded.batch([audio])).logits!);
      return await logits.read() as Float32Array;
    };
    return { device: loaded.model.gpu.name, run };
  },
  "onnxruntime-web": async (folder) => {
    const { env, InferenceSession, Tensor } = await import(
      "npm:onnxruntime-web@1.31.0-dev.20260914-8d85527a0/webgpu"
    );
    const file = await Deno.readFile(`${folder}/onnx/onnx/model.onnx`);
    const session = await InferenceSession.create(file, { executionProviders: ["webgpu"] });
    const device = (await env.webgpu.device as GPUDevice).adapterInfo.description;
    return { device, run: runSession(session as unknown as Session, Tensor as unknown as Runtime["Tensor"]) };
  },
  "onnxruntime-node": async (folder) => {
    const { InferenceSession, Tensor } = (await import("npm:onnxruntime-node@1.30.0")).default;
    const session = await InferenceSession.create(`${folder}/onnx/onnx/model.onnx`);
    return { device: "CPU", run: runSession(session, Tensor) };
  },
  "transformers.js": async (folder) => {
    const { env, pipeline } = await import("npm:@huggingface/transformers@4.3.2");
    env.allowRemoteModels = false;
    env.localModelPath = folder;
    const transcribe = await pipeline("automatic-speech-recognition", "onnx");
    const run = async (audio: Float32Array) => {
      await transcribe(audio);
      return null;
    };
    return { device: "CPU", run };
  },
};

/** The audio has mean 0 and variance 1 already. */
function runSession(session: Session, Tensor: Runtime["Tensor"]): Loaded["run"] {
  return async (audio) => {
    const { logits } = await session.run({ input_values: new Tensor("float32", audio, [1, audio.length]) });
    return logits!.data as Float32Array;
  };
}

/** Peak of the process's memory in bytes, as Linux gives it; its memory now on other systems. */
async function peakMemory(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return kilobytes === undefined ? Deno.memoryUsage().rss : Number(kilobytes) * 1024;
}

/** Noise with mean 0 and variance 1. */
function noise(samples: number): Float32Array<ArrayBuffer> {
  let state = 1;
  return Float32Array.from({ length: samples }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.sqrt(3) * (state / 2 ** 31 - 1);
  });
}

async function main([runtime, folder, samples]: readonly string[]): Promise<void> {
  const answer = (answer: Answer) => console.log(`@${JSON.stringify(answer)}`);
  preferVulkan();
  const audio = noise(Number(samples));
  const start = performance.now();
  const { device, run } = await loaders[runtime!]!(folder!);
  answer({ loadMs: performance.now() - start, device });
  for await (const _ of Deno.stdin.readable) {
    const [start, before] = [performance.now(), process.cpuUsage()];
    const logits = await run(audio);
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    const cpu = (user + system) / 1000;
    answer({ ms, cpu, bytes: await peakMemory(), logits: logits && [...logits.subarray(0, 1000)] });
  }
}

await main(Deno.args);
Deno.exit(0);
