// The completions, completed by the shells themselves where they are installed.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "./run.ts";

/** Runs a shell with the completions in `$1`. */
async function withShell(shell: string, script: string): Promise<string> {
  const { out } = await run("completions", shell);
  const file = await Deno.makeTempFile({ prefix: "espalier-test-" });
  try {
    await Deno.writeTextFile(file, out.join("\n"));
    const args = shell === "fish" ? ["--no-config", "-c", script, file] : ["-c", script, shell, file];
    const { code, stdout, stderr } = await new Deno.Command(shell, {
      args,
      env: { TERM: "xterm" },
      signal: AbortSignal.timeout(120_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals(code, 0, text(stderr));
    return text(stdout);
  } finally {
    await Deno.remove(file);
  }
}

function lacks(shell: string): { ignore: boolean } {
  try {
    return { ignore: !new Deno.Command(shell, { args: ["-c", "exit 0"] }).outputSync().success };
  } catch {
    return { ignore: true };
  }
}

Deno.test("bash completes commands, options, choices and kinds", lacks("bash"), async () => {
  const complete = async (...words: string[]) => {
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const last = words.length - 1;
    const replies = await withShell(
      "bash",
      `source "$1"; COMP_WORDS=(${quoted}); COMP_CWORD=${last}; _espalier; printf '%s\\n' "\${COMPREPLY[@]}"`,
    );
    return replies.split("\n").filter((line) => line !== "");
  };
  assertEquals(await complete("espalier", "tr"), ["train", "transcribe"]);
  assertEquals(await complete("espalier", "--v"), ["--version"]);
  assertEquals(await complete("espalier", "prune", "--fine"), ["--finetune-steps", "--finetune-lr"]);
  assertEquals(await complete("espalier", "-q", "prune", "--method", "s"), ["size", "sep-size"]);
  assertEquals(await complete("espalier", "prune", "--out", ""), []);
  assertEquals(await complete("espalier", "data", "c"), ["commands", "check"]);
  assertEquals(await complete("espalier", "help", "gp"), ["gpu"]);
  assertEquals(await complete("espalier", "completions", "f"), ["fish"]);
  assertStringIncludes(await withShell("bash", 'source "$1"; complete -p espalier'), "-F _espalier espalier");
});

Deno.test("fish completes commands, options and choices, with descriptions", lacks("fish"), async () => {
  const complete = async (line: string) => {
    const replies = await withShell("fish", `source $argv[1]; complete -C '${line}'`);
    return replies.trimEnd().split("\n");
  };
  assertEquals((await complete("espalier tr")).map((line) => line.split("\t")[0]), ["train", "transcribe"]);
  assertEquals(await complete("espalier gpu --tune"), ["--tune\tmeasure the GEMM kernels again"]);
  assertEquals((await complete("espalier prune --ramp l"))[0]!.split("\t")[0], "linear");
});

Deno.test("zsh completes commands and choices", lacks("zsh"), async () => {
  const out = await withShell(
    "zsh",
    `zmodload zsh/zpty
    zpty z zsh -f -i
    zpty -w z "autoload -Uz compinit; compinit -u -D; source $1; PS1='RE''ADY '"
    zpty -r z seen '*READY *'
    zpty -w -n z $'espalier transc\\t'
    zpty -r z seen '*espalier transcribe*'
    print -r -- "$seen"
    zpty -w -n z $'\\C-uespalier prune --ramp q\\t'
    zpty -r z seen '*quadratic*'
    print -r -- "$seen"
    zpty -d z`,
  );
  assert(out.includes("transcribe") && out.includes("quadratic"), out);
});

Deno.test("completions refuses other shells", async () => {
  assertEquals((await run("completions", "tcsh")).err, [
    "completions takes one of bash, zsh, fish: got tcsh",
  ]);
  assertEquals((await run("completions")).status, 2);
});
