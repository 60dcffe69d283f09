// Installs what tests need beyond the checkout: Debian's packages, and those of PyPI in virtual environments in the user's cache.

const PYTHON = "/usr/bin/python3";
const ENV = { DEBIAN_FRONTEND: "noninteractive", PIP_DISABLE_PIP_VERSION_CHECK: "1" };

/** Whether a command succeeds. */
export async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  try {
    const options = { args, stdout: "null", stderr: "null", env: ENV } as const;
    return (await new Deno.Command(program, options).output()).success;
  } catch { // not on this machine
    return false;
  }
}

/** Installs Debian's packages where that needs no password. */
export async function installDebian(...packages: string[]): Promise<boolean> {
  if (Deno.uid() !== 0 || !await succeeds("apt-get", "--version")) return false;
  console.log(`Installing Debian's ${packages.join(", ")}`);
  return await succeeds("apt-get", "update", "-q") &&
    await succeeds("apt-get", "install", "-qy", "--no-install-recommends", ...packages);
}

/** A virtual environment. */
export interface Environment {
  /** Name of its folder in the cache. */
  readonly name: string;
  /** Packages of PyPI, with their versions. */
  readonly packages: readonly string[];
  /** A statement of Python that fails without them. */
  readonly check: string;
  /** Debian's packages of the Python that makes it, and the modules that they bring. */
  readonly base: { readonly packages: readonly string[]; readonly modules: string };
  /** Options of the Python module venv. */
  readonly venv?: readonly string[];
}

/**
 * Makes a virtual environment, or finds it in the cache.
 *
 * @returns Its folder.
 * @throws {Error} If it cannot be made; one line.
 */
export async function findEnvironment(
  { name, packages, check, base, venv = [] }: Environment,
): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  const folder = `${cache}/espalier/${name}`;
  const python = `${folder}/bin/python`;
  if (await succeeds(python, "-c", check)) return folder;
  if (!await succeeds(PYTHON, "-c", `import ${base.modules}`) && !await installDebian(...base.packages)) {
    const debian = base.packages.join(" and ");
    throw new Error(`there is no Python with ${base.modules} on this machine: install Debian's ${debian}`);
  }
  console.log(`Installing ${packages.join(", ")} into ${folder}`);
  if (!await succeeds(PYTHON, "-m", "venv", "--clear", ...venv, folder)) {
    throw new Error(`${folder} could not be made: install Debian's python3-venv`);
  }
  if (!await succeeds(python, "-m", "pip", "install", ...packages)) {
    throw new Error(`${packages.join(", ")} could not be installed from PyPI`);
  }
  return folder;
}
