// A Python with PyTorch and transformers: Debian's PyTorch, as the wheels of PyPI bring gigabytes of CUDA, and transformers
// in a virtual environment in the user's cache.

/** Last version that both runs with Debian 12's PyTorch 1.13 and has all families. */
const TRANSFORMERS = "4.46.3";
/** Last version of onnx that takes NumPy 1. */
const ONNX = "1.16.2";
const PYTHON = "/usr/bin/python3";

/** Whether a command succeeds. */
async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    const options = {
      args,
      stdout: "null",
      stderr: "null",
      env: { DEBIAN_FRONTEND: "noninteractive", PIP_DISABLE_PIP_VERSION_CHECK: "1" },
    } as const;
    return (await new Deno.Command(command, options).output()).success;
  } catch { // not on this machine
    return false;
  }
}

const imports = (python: string, modules: string) => run(python, "-c", `import ${modules}`);

/** Installs Debian's packages where that needs no password. */
async function installDebian(): Promise<boolean> {
  if (Deno.uid() !== 0 || !await run("apt-get", "--version")) return false;
  console.log("Installing Debian's PyTorch");
  return await run("apt-get", "update", "-q") &&
    await run("apt-get", "install", "-qy", "--no-install-recommends", "python3-torch", "python3-venv");
}

/**
 * Makes the environment, or finds it in the cache.
 *
 * @returns Path of its Python.
 * @throws {Error} If it cannot be made; one line.
 */
export async function findPython(): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  const folder = `${cache}/espalier/interop/transformers-${TRANSFORMERS}`;
  const python = `${folder}/bin/python`;
  if (await imports(python, "torch, transformers, safetensors, onnx")) return python;
  if (!await imports(PYTHON, "torch, venv, ensurepip") && !await installDebian()) {
    throw new Error("there is no PyTorch on this machine: install Debian's python3-torch and python3-venv");
  }
  console.log(`Installing transformers ${TRANSFORMERS} into ${folder}`);
  if (!await run(PYTHON, "-m", "venv", "--clear", "--system-site-packages", folder)) {
    throw new Error(`${folder} could not be made: install Debian's python3-venv`);
  }
  const packages = [`transformers==${TRANSFORMERS}`, "safetensors", "numpy<2", `onnx==${ONNX}`];
  if (!await run(python, "-m", "pip", "install", ...packages)) {
    throw new Error(`transformers ${TRANSFORMERS} and onnx ${ONNX} could not be installed from PyPI`);
  }
  return python;
}
