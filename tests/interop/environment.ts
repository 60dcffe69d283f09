// A Python with PyTorch and transformers: Debian's PyTorch, as the wheels of PyPI bring gigabytes of CUDA, and transformers
// in a virtual environment in the user's cache.
import { findEnvironment } from "../install.ts";

/** Last version that both runs with Debian 12's PyTorch 1.13 and has all families. */
const TRANSFORMERS = "4.46.3";
/** Last version of onnx that takes NumPy 1. */
const ONNX = "1.16.2";

/**
 * Makes the environment, or finds it in the cache.
 *
 * @returns Path of its Python.
 * @throws {Error} If it cannot be made; one line.
 */
export async function findPython(): Promise<string> {
  const folder = await findEnvironment({
    name: `interop/transformers-${TRANSFORMERS}`,
    packages: [`transformers==${TRANSFORMERS}`, "safetensors", "numpy<2", `onnx==${ONNX}`],
    check: "import torch, transformers, safetensors, onnx",
    base: { packages: ["python3-torch", "python3-venv"], modules: "torch, venv, ensurepip" },
    venv: ["--system-site-packages"],
  });
  return `${folder}/bin/python`;
}
