/**
 * The parts of `bench:gpu`, the most valuable first. Their limits add up to eight minutes.
 *
 * @module
 */

import type { Part } from "./part.ts";

const part = (name: string, seconds: number, about: string): Part => ({
  ...{ name, seconds, about },
  module: new URL(`${name}.ts`, import.meta.url).href,
});

/** All parts. */
export const PARTS: readonly Part[] = [
  part("facts", 15, "features, limits, subgroups and driver of the adapter"),
  part("operations", 65, "every operation, compared with its oracle in f64"),
  part("gemm", 65, "TFLOP/s of every GEMM kernel, and the tuner's choice"),
  part("steps", 70, "a step of pruning and of fine-tuning, beside PyTorch"),
  part("peers", 75, "operations and a training step beside jax-js and tfjs"),
  part("inference", 30, "a dense and a compact model in f32 and f16, beside PyTorch"),
  part("reductions", 20, "norms, softmax and CTC with and without subgroups"),
  part("onnx", 30, "a dense and a compact model beside onnxruntime-web"),
  part("default_run", 110, "the default run of prune"),
];
