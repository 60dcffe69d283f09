// The set-up script, run in a folder of its own beside stand-ins for the programs it calls.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { commands } from "../cli/main.ts";
import { permissionFlags } from "../cli/permissions.ts";

const script = new URL("../espalier", import.meta.url);

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the script where only `programs` (name and body) and a few of the system's can be found. */
async function espalier(
  programs: Record<string, string>,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Outcome> {
  const folder = await Deno.makeTempDir();
  try {
    const bin = `${folder}/bin`;
    await Deno.mkdir(bin);
    for (const name of ["cat", "dirname", "sed", "mkdir", "chmod", "grep", "env", "readlink"]) {
      await Deno.symlink(await which(name), `${bin}/${name}`);
    }
    for (const [name, body] of Object.entries({ uname: "echo Linux", ...programs })) {
      await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    await Deno.copyFile(script, `${folder}/espalier`);
    await Deno.copyFile(new URL("../deno.json", import.meta.url), `${folder}/deno.json`);
    const command = new Deno.Command("/bin/sh", {
      args: [`${folder}/espalier`, ...args],
      cwd: bin,
      clearEnv: true,
      env: { PATH: bin, VK_DRIVER_FILES: "/any.json", ...env },
    });
    const { code, stdout, stderr } = await command.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).replaceAll(folder, "@").trimEnd();
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function which(name: string): Promise<string> {
  const command = new Deno.Command("/bin/sh", { args: ["-c", `command -v ${name}`] });
  return new TextDecoder().decode((await command.output()).stdout).trim();
}

/** A Deno that prints its version, and otherwise its arguments and the variables that the script set. */
function deno(version: string): string {
  return `if [ "$1" = --version ]; then echo "deno ${version} (stable)"; exit; fi
echo "$*"; echo "$INIT_CWD $DENO_WEBGPU_BACKEND $XDG_RUNTIME_DIR $NO_COLOR"`;
}

/** The permissions of a command. */
function flagsOf(name: string): string {
  return permissionFlags(commands.find((command) => command.name === name)!.access).join(" ");
}

const posix = { ignore: Deno.build.os === "windows" };

Deno.test(
  "espalier prints a short help where there is no Deno, and that of the program where there is",
  posix,
  async () => {
    for (const words of [[], ["--help"], ["-h"], ["help"]]) {
      const { code, stdout } = await espalier({}, words);
      assertEquals(code, 0);
      assertStringIncludes(stdout, "./espalier COMMAND [OPTIONS]");
      const { stdout: passed } = await espalier({ deno: deno("2.9.0") }, words);
      assertStringIncludes(
        passed,
        `run ${flagsOf("help")} --config @/deno.json --lock=@/deno.lock @/cli.ts ${words[0] ?? "--help"}\n`,
      );
    }
  },
);

Deno.test("espalier passes commands to the program, unknown ones too, and tasks to Deno", posix, async () => {
  const environment = "@/bin vulkan @/.deno/run 1";
  for (const version of ["2.9.0", "2.10.1", "3.0.0"]) {
    assertEquals(await espalier({ deno: deno(version) }, ["gpu", "--json"]), {
      code: 0,
      stdout: `run ${
        flagsOf("gpu")
      } --config @/deno.json --lock=@/deno.lock @/cli.ts gpu --json\n${environment}`,
      stderr: "",
    });
  }
  const common = "--config @/deno.json --lock=@/deno.lock @/cli.ts";
  const outcomes = [
    [["prunne"], `run ${flagsOf("help")} ${common} prunne`],
    [["gpu", "-q"], `run --quiet ${flagsOf("gpu")} ${common} gpu -q`],
    [["-q", "inspect", "a"], `run --quiet ${flagsOf("inspect")} ${common} -q inspect a`],
    [["transcribe", "--", "-q"], `run ${flagsOf("transcribe")} ${common} transcribe -- -q`],
    [["help; x", "*"], `run ${flagsOf("help")} ${common} help; x *`],
    [["test", "tests/cli"], "task --quiet --config @/deno.json test tests/cli"],
    [["ok"], "task --quiet --config @/deno.json ok"],
  ] as const;
  for (const [words, called] of outcomes) {
    const { stdout } = await espalier({ deno: deno("2.9.0") }, words);
    assertEquals(stdout, `${called}\n${environment}`);
  }
});

Deno.test(
  "espalier permits connections to the hosts that the user names, where a model is downloaded",
  posix,
  async () => {
    const hub = "huggingface.co,*.huggingface.co,*.hf.co";
    const outcomes = [
      [["inspect", "a/b"], {}, `-N=${hub} `],
      [["inspect", "https://user@models.example:8443/a?b#c"], {}, `-N=${hub},models.example:8443 `],
      [["eval", "--model=http://a.example", "--data", "b"], {}, `-N=${hub},a.example `],
      [["eval", "-m", "https://a,evil.example/x"], {}, `-N=${hub} `],
      [["inspect", "a/b"], { HF_ENDPOINT: "https://mirror.example" }, `-N=${hub},mirror.example `],
    ] as const;
    for (const [words, env, expected] of outcomes) {
      const { stdout } = await espalier({ deno: deno("2.9.0") }, words, env);
      assertStringIncludes(stdout, expected);
    }
    for (const word of ["/dev/shm/model", "--model=/dev/shm/model"]) {
      const { stdout } = await espalier({ deno: deno("2.9.0") }, ["eval", word]);
      assertStringIncludes(stdout, "run -A --config", "Deno allows files below /dev only to who may do all");
    }
    const { stdout } = await espalier({ deno: deno("2.9.0") }, ["cache", "https://a.example"]);
    assertEquals(stdout.includes("-N"), false);
  },
);

Deno.test("espalier permits native code to training in a job of several processes only", posix, async () => {
  const outcomes = [
    ["train", {}, false],
    ["prune", { OMPI_COMM_WORLD_SIZE: "1", OMPI_COMM_WORLD_RANK: "0" }, false],
    ["prune", { SLURM_NTASKS: "4", SLURM_PROCID: "0" }, false], // the batch script itself
    ["transcribe", { OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_RANK: "0" }, false],
    ["train", { OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_RANK: "0" }, true],
    ["prune", { PMI_SIZE: "2", PMI_RANK: "1" }, true],
    ["prune", { SLURM_STEP_NUM_TASKS: "4", SLURM_PROCID: "0" }, true],
  ] as const;
  for (const [command, env, expected] of outcomes) {
    const { stdout } = await espalier({ deno: deno("2.9.0") }, [command], env);
    assertEquals(stdout.includes("--allow-ffi"), expected, `${command} ${JSON.stringify(env)}`);
  }
});

Deno.test(
  "espalier asks for no driver where nothing is computed",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    for (const words of [["--version"], ["--help"], ["help", "prune"], ["cache"], ["completions", "bash"]]) {
      const { code, stderr } = await espalier({ deno: deno("2.9.0") }, words, noDriver);
      assertEquals([code, stderr], [0, ""]);
    }
  },
);

Deno.test("espalier installs Deno where there is none new enough", posix, async () => {
  const npm = `while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/.bin"; own="$2/node_modules/.bin/deno"
{ echo '#!/bin/sh'; echo 'echo "deno 2.9.6 (stable)"'; } > "$own"; chmod 755 "$own"`;
  for (const programs of [{ npm }, { npm, deno: deno("2.8.4") }, { npm, deno: "exit 1" }]) {
    const { code, stdout, stderr } = await espalier(programs, ["gpu"]);
    assertEquals([code, stdout, stderr], [0, "deno 2.9.6 (stable)", "Installing Deno 2.9.6 into .deno/"]);
  }
  const { code, stderr } = await espalier({ deno: deno("2.8.4") }, ["gpu"]);
  assertEquals(code, 2);
  assertEquals(stderr, "Cannot install Deno as npm is needed: install Node.js, or Deno 2.9 or later");
});

/** Hides the drivers of the machine the test runs on. */
const noDriver = { VK_DRIVER_FILES: "", XDG_DATA_DIRS: "/nonexistent", XDG_CONFIG_DIRS: "/nonexistent" };
const hidden = { ignore: Deno.build.os !== "linux" || hasOwnDriver() };

function hasOwnDriver(): boolean {
  for (const folder of ["/etc/vulkan/icd.d", "/usr/local/etc/vulkan/icd.d"]) {
    try {
      if ([...Deno.readDirSync(folder)].length > 0) return true;
    } catch {
      // no such folder, no driver
    }
  }
  return false;
}

Deno.test("espalier without a driver installs it as root, else prints the command", hidden, async () => {
  const advice = "run sudo apt-get install mesa-vulkan-drivers libvulkan1";
  const root = { deno: deno("2.9.6"), id: "echo 0" };
  const user = { deno: deno("2.9.6"), id: "echo 1000", sudo: "exit 1" };

  const installed = await espalier({ ...root, "apt-get": `echo "$*"` }, ["gpu"], noDriver);
  assertEquals(installed.code, 0);
  assertStringIncludes(
    installed.stderr,
    "install -qy --no-install-recommends mesa-vulkan-drivers libvulkan1",
  );

  const outcomes: [Record<string, string>, string][] = [
    [{ ...root, "apt-get": "exit 100" }, `Vulkan driver could not be installed: ${advice}`],
    [{ ...user, "apt-get": "" }, `there is no Vulkan driver: ${advice}`],
    [user, "there is no Vulkan driver: install one (often called mesa-vulkan-drivers)"],
  ];
  for (const [programs, message] of outcomes) {
    const { code, stderr } = await espalier(programs, ["gpu"], noDriver);
    assertEquals(code, 2);
    assertStringIncludes(stderr, message);
  }
});
