/**
 * Runs the programs of PyTorch in bench/peers, where there is a Python with PyTorch.
 *
 * @module
 */

import type { ModelConfig } from "../../model/config.ts";
import { ROOT } from "../step_modules.ts";

/** Result of a program, or why there is none. */
export type TorchResult<T> = { readonly result: T; readonly missing: null } | {
  readonly result: null;
  readonly missing: string;
};

/** Where a program ran. */
export interface TorchDevice {
  readonly torch: string;
  readonly device: string;
}

interface Python {
  readonly python: string;
  readonly cuda: boolean;
}

const PROBE = "import torch; print(torch.cuda.is_available())";

/** The first Python that has PyTorch, one with CUDA before others; null if there is none. */
async function findPython(): Promise<Python | null> {
  const found: Python[] = [];
  for (const python of ["python3", "/usr/bin/python3"]) {
    const command = new Deno.Command(python, { args: ["-c", PROBE], stderr: "null" });
    const { success, stdout } = await command.output().catch(() => ({ success: false, stdout: null }));
    if (success && stdout) found.push({ python, cuda: new TextDecoder().decode(stdout).trim() === "True" });
  }
  return found.find(({ cuda }) => cuda) ?? found[0] ?? null;
}

/**
 * Runs a program.
 *
 * @param script File in bench/peers.
 * @param request Its argument, without the device.
 * @param onCpu Whether to run it on the CPU where there is no CUDA, to see that it works.
 */
export async function runTorch<T>(script: string, request: object, onCpu: boolean): Promise<TorchResult<T>> {
  const found = await findPython();
  if (!found) return { result: null, missing: "no Python with PyTorch" };
  if (!found.cuda && !onCpu) return { result: null, missing: "PyTorch has no CUDA" };
  const argument = JSON.stringify({ ...request, device: found.cuda ? "cuda" : "cpu" });
  const { success, stdout, stderr } = await new Deno.Command(found.python, {
    args: ["-B", `${ROOT}/bench/peers/${script}`, argument],
  }).output();
  const decoder = new TextDecoder();
  if (success) return { result: JSON.parse(decoder.decode(stdout)) as T, missing: null };
  const reason = decoder.decode(stderr).trim().split("\n").at(-1);
  return { result: null, missing: `${script} failed: ${reason}` };
}

/** Config of a model for the programs: one number of heads and of units per layer. */
export function torchConfig(config: ModelConfig): Record<string, unknown> {
  const {
    conv_dim,
    conv_kernel,
    conv_stride,
    hidden_size,
    num_attention_heads,
    head_dim,
    intermediate_size,
  } = config;
  const { num_conv_pos_embeddings, num_conv_pos_embedding_groups, vocab_size } = config;
  return {
    ...{ conv_dim, conv_kernel, conv_stride, hidden_size, num_attention_heads, head_dim, intermediate_size },
    ...{ num_conv_pos_embeddings, num_conv_pos_embedding_groups, vocab_size },
  };
}
